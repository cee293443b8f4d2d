// Serves one page, in the colour of the base image.
const http = require('http');
const page = require('page');

const { BACKGROUND_COLOR: color = 'White', PORT: port = 80 } = process.env;

const body = `
<h1>Hello World</h1>
`;

const server = http.createServer((request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' });
  response.end(page(color, body));
});
server.listen(port, () => console.log(`listening on port ${port}`));
process.on('SIGTERM', () => process.exit(0));
