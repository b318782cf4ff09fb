'use strict';

// node server.js PACKAGES EXPRESS: a shop's own backend. Prints its port; its secret is `hush`.
//   /verify    says whether what came is signed, and what it says
//   /sign      takes the values of a query as they come, and returns the whole query, signed as SHOPLINE does it
const { createRequire } = require('node:module');
const crypto = require('node:crypto');
const path = require('node:path');
const canonical = require('./canonical.js');

const load = createRequire(path.join(path.resolve(process.argv[2]), 'package.json'));
const app = load(process.argv[3])();

app.use((request, response, next) => {
  if (request.path.startsWith('/verify')) {
    const claimed = Buffer.from(String(request.query.signature));
    const made = Buffer.from(canonical.sign(request.query, 'hush'));
    const isSigned = claimed.length === made.length && crypto.timingSafeEqual(claimed, made);
    return response.status(isSigned ? 200 : 401).json({ isSigned, path: request.path, query: request.query });
  }
  if (request.path === '/sign') {
    const raw = request.url.split('?').slice(1).join('?');
    return response.json({ query: `${raw}&signature=${canonical.sign(request.query, 'hush')}` });
  }
  return next();
});

const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => process.exit(0)).resume();
