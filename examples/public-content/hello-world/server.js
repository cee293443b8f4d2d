// Serves one page, in the colour of the base image.
const http = require('http');

const { BACKGROUND_COLOR: color = 'White', NODE_VERSION: version = process.version, PORT: port = 80 } = process.env;

const page = `<!DOCTYPE html>
<html>
<head><title>Hello World</title></head>
<body style="background-color: ${color}">
<h1>Hello World</h1>
<p>Node ${version} in ${color}</p>
</body>
</html>
`;

const server = http.createServer((request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  response.end(page);
});
server.listen(port, () => console.log(`listening on port ${port}`));
process.on('SIGTERM', () => process.exit(0));
