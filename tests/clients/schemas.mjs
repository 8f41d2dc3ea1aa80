// Checks all that goes over the wire against schemas/messages/.

import { readFileSync, readdirSync } from 'node:fs';
import Ajv from 'ajv';

const FOLDER = new URL('../../schemas/messages/', import.meta.url);

// Method and path, with the schemas of request and reply; `*` stands for one part of a path.
const ENDPOINTS = [
  ['POST', '/v1/enroll', 'enroll-request', 'enroll-reply'],
  ['POST', '/v1/codes', 'code-request', 'code-reply'],
  ['GET', '/v1/codes', null, 'codes-reply'],
  ['DELETE', '/v1/codes/*', null, 'withdraw-reply'],
  ['POST', '/v1/sync', 'client-frame', 'sync-reply'],
  ['GET', '/v1/devices', null, 'devices-reply'],
  ['POST', '/v1/devices/*/revoke', null, 'device'],
  ['POST', '/v1/devices/*/drain', null, 'device'],
  ['POST', '/v1/devices/*/restore', null, 'device'],
  ['POST', '/v1/devices/*/wipe', 'wipe-request', 'device'],
  ['PUT', '/v1/devices/*/scopes', 'scopes-request', 'device'],
  ['PUT', '/v1/devices/*/role', 'role-request', 'device'],
  ['GET', '/v1/access', null, 'access-reply'],
  ['GET', '/v1/records', null, 'records-reply'],
  ['GET', '/v1/conflicts', null, 'conflicts-reply'],
  ['GET', '/v1/quarantine', null, 'quarantine-reply'],
  ['GET', '/v1/reports', null, 'reports-reply'],
  ['GET', '/v1/reports/*', null, 'report-reply'],
  ['GET', '/healthz', null, 'health'],
  ['GET', '/readyz', null, 'health'],
];

let loaded;

// Read at the first check, so that what needs no schema does not fail without one.
function validators() {
  if (loaded) return loaded;
  const ajv = new Ajv({ allErrors: true, strict: false, validateFormats: false });
  const schemas = new Map(readdirSync(FOLDER).filter((file) => file.endsWith('.json'))
    .map((file) => [file.replace(/(\.schema)?\.json$/, ''), JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8'))]));
  for (const [name, schema] of schemas) ajv.addSchema(schema, schema.$id ?? name);
  loaded = new Map([...schemas].map(([name, schema]) => [name, ajv.getSchema(schema.$id ?? name)]));
  return loaded;
}

export function errorsOf(name, value) {
  const validate = validators().get(name);
  if (!validate) throw new Error(`there is no schema ${name}`);
  return validate(value) ? null : validate.errors;
}

let collection;

// What schemas/collection.schema.json has against the file of a collection, or null.
export function collectionErrorsOf(file) {
  const text = () => readFileSync(new URL('../../schemas/collection.schema.json', import.meta.url), 'utf8');
  collection ??= new Ajv({ allErrors: true, strict: false }).compile(JSON.parse(text()));
  return collection(file) ? null : collection.errors;
}

export function check(name, value) {
  const errors = errorsOf(name, value);
  if (errors === null) return;
  const where = errors.map(({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`);
  throw new Error(`not a valid ${name}:\n  ${where.join('\n  ')}\n${JSON.stringify(value).slice(0, 2000)}`);
}

export const checkClientFrame = (frame) => check('client-frame', frame);
export const checkServerFrame = (frame) => check('server-frame', frame);

export function checkRequest(method, path, body) {
  const schema = endpoint(method, path)?.[2];
  if (schema && body !== undefined) check(schema, body);
}

// `type` is the content type where the caller knows it.
export function checkReply(method, path, status, body, type) {
  const [, , , schema] = endpoint(method, path) ?? [];
  if (status >= 300 && !isReplyInSpiteOf(schema, status, body)) return checkProblem(status, body, type);
  if (schema) check(schema, body);
}

// A sync reply that holds an error has the status of the error; a server that is not ready says so
// with a reply of its own.
function isReplyInSpiteOf(schema, status, body) {
  if (schema === 'sync-reply') return ['welcome', 'wipe', 'wiped', 'receipt', 'changes', 'busy', 'error'].some((key) => key in body);
  return schema === 'health' && status === 503;
}

function checkProblem(status, body, type) {
  check('problem', body);
  if (body.status !== status) throw new Error(`status ${status}, but the problem document says ${body.status}`);
  if (type !== undefined && !type?.startsWith('application/problem+json')) throw new Error(`a problem document as ${type}`);
}

function endpoint(method, path) {
  const parts = path.split('?')[0].split('/');
  return ENDPOINTS.find(([m, pattern]) => m === method && matches(pattern.split('/'), parts));
}

function matches(pattern, parts) {
  return pattern.length === parts.length && pattern.every((part, i) => part === '*' || part === parts[i]);
}

// The watch of a Device: everything is checked.
export const CHECKED = {
  sentFrame: checkClientFrame,
  receivedFrame: checkServerFrame,
  sentBody: checkRequest,
  receivedBody: (method, path, status, body) => checkReply(method, path, status, body),
};
