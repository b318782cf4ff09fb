'use strict';

// node read.js PACKAGES <queries.json: for each query, who reads it as what, with what signature (secret `hush`).
const { createRequire } = require('node:module');
const fs = require('node:fs');
const path = require('node:path');
const querystring = require('node:querystring');
const canonical = require('./canonical.js');

const folder = path.resolve(process.argv[2]);
const load = createRequire(path.join(folder, 'package.json'));
const names = Object.keys(JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).dependencies);

const extended = {};
for (const name of names) {
  if (name.startsWith('qs-')) {
    const qs = load(name);
    extended[name] = (query) => qs.parse(query, { allowPrototypes: true });
    extended[`${name} with Express 4.22's limit`] = (query) => qs.parse(query, { allowPrototypes: true, arrayLimit: 1000 });
  } else {
    extended[name] = load(`${name}/lib/utils`).compileQueryParser('extended');
  }
}
const simple = {
  node: querystring.parse,
  'express-5.3': load('express-5.3/lib/utils').compileQueryParser('simple'),
  'express-4.22': load('express-4.22/lib/utils').compileQueryParser('simple'),
};

// [[canonical string, signature, [who]], ...]: one entry, and nobody named, if all agree.
function readings(parsers, query) {
  const found = new Map();
  for (const [name, parse] of Object.entries(parsers)) {
    let message, signature;
    try {
      const values = parse(query);
      message = canonical.message(values);
      signature = canonical.sign(values, 'hush');
    } catch (error) {
      message = signature = `${error.name}: ${error.message}`;
    }
    if (!found.has(message)) found.set(message, [message, signature, []]);
    found.get(message)[2].push(name);
  }
  return found.size > 1 ? [...found.values()] : [...found.values()].map(([message, signature]) => [message, signature, []]);
}

const queries = JSON.parse(fs.readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify(queries.map((query) => [readings(extended, query), readings(simple, query)])));
