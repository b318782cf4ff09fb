'use strict';

// SHOPLINE's recipe as its page gives it: sort the keys, nested objects too, and print.
const crypto = require('node:crypto');

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const result = {};
  for (const key of Object.keys(value).sort()) result[key] = sorted(value[key]);
  return result;
}

exports.message = (query) => {
  const { signature, ...unsigned } = query;
  return JSON.stringify(sorted(unsigned));
};

exports.sign = (query, secret) =>
  crypto.createHmac('sha256', secret).update(exports.message(query), 'utf8').digest('hex');
