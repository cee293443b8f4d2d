// Makes a page with a background.
module.exports = (color, body) => `<!DOCTYPE html>
<html>
<head><title>Hello World</title></head>
<body style="background-color: ${color}">${body}</body>
</html>
`;
