// A real server for a test: the binary that the environment variable WAYSTATION names, on a data
// folder of its own.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { checkReply, checkRequest } from './schemas.mjs';

const READY_MS = 30_000;
const STOP_MS = 15_000;

export async function startServer(options = {}) {
  const server = new Server(await mkdtemp(join(tmpdir(), 'waystation-client-test-')), options);
  await server.start();
  return server;
}

// Starts a server and takes it away when the test, or the file's suite, has ended.
export async function serverFor(t, options) {
  const server = await startServer(options);
  t.after(() => server.remove());
  return server;
}

export class Server {
  #options;
  #process = null;
  #port = 0;
  #output = [];

  constructor(data, { args = [], env = {} } = {}) {
    this.data = data;
    this.#options = { args, env };
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  get liveUrl() {
    return `ws://127.0.0.1:${this.#port}/v1/live`;
  }

  // After the first start it listens on the same port again, as devices expect of a server.
  async start() {
    const { args, env } = this.#options;
    this.#process = spawn(binary(), ['serve', '--data', this.data, '--listen', `127.0.0.1:${this.#port}`, ...args],
                          { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    killAtExit(this.#process);
    this.#process.stderr.on('data', (text) => this.#output.push(text));
    this.#port = await this.#announcedPort();
    this.adminToken = (await readFile(join(this.data, 'admin.token'), 'utf8')).trim();
  }

  async #announcedPort() {
    const lines = createInterface({ input: this.#process.stdout });
    return new Promise((resolve, reject) => {
      const fail = (why) => reject(new Error(`the server did not start: ${why}\n${this.log}`));
      const timer = setTimeout(() => fail('it took too long'), READY_MS);
      this.#process.once('error', (error) => { clearTimeout(timer); fail(error.message); });
      this.#process.once('exit', (code, signal) => { clearTimeout(timer); fail(`exit ${code ?? signal}`); });
      lines.on('line', (line) => {
        this.#output.push(`${line}\n`);
        const port = /listening on http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
        if (port) { clearTimeout(timer); resolve(Number(port)); }
      });
    });
  }

  get log() {
    return this.#output.join('');
  }

  // The polite end; a server that needs more than one try, or says that it failed, is an error.
  async stop() {
    if (this.#process === null) return;
    const code = await this.#end('SIGTERM');
    if (code !== 0) throw new Error(`the server ended with ${code}\n${this.log}`);
  }

  // The end as in a power cut, as far as a process can have it.
  async kill() {
    await this.#end('SIGKILL');
  }

  async killAndRestart() {
    await this.kill();
    await this.start();
  }

  async remove() {
    try {
      await this.stop();
    } finally {
      await rm(this.data, { recursive: true, force: true });
    }
  }

  async #end(signal) {
    const ending = this.#process;
    this.#process = null;
    if (ending.exitCode !== null || ending.signalCode !== null) return ending.exitCode ?? ending.signalCode;
    const gone = once(ending, 'exit');
    ending.kill(signal);
    const timer = setTimeout(() => ending.kill('SIGKILL'), STOP_MS);
    const [code, endedBy] = await gone;
    clearTimeout(timer);
    return code ?? endedBy;
  }

  // --- Over HTTP. All that goes out and comes back is checked against the schemas ----------------

  // `as` is a bearer token; `unchecked` sends what no schema allows.
  async call(method, path, { body, as, unchecked = false } = {}) {
    if (!unchecked) checkRequest(method, path, body);
    const headers = { ...(as !== undefined && { authorization: `Bearer ${as}` }),
                      ...(body !== undefined && { 'content-type': 'application/json' }) };
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    const response = await fetch(new URL(path, this.url), { method, headers, body: text });
    const type = response.headers.get('content-type');
    const reply = await response.json();
    checkReply(method, path, response.status, reply, type);
    return { status: response.status, body: reply, type, headers: response.headers };
  }

  // As the administrator; anything but success is an error.
  async admin(method, path, body) {
    const reply = await this.call(method, path, { body, as: this.adminToken });
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${JSON.stringify(reply.body)}`);
    return reply.body;
  }

  async createCode(scopes, { name = 'test', uses = 1, expires_s = 3600 } = {}) {
    return (await this.admin('POST', '/v1/codes', { scopes, name, uses, expires_s })).code;
  }

  async deviceRow(id) {
    return (await this.admin('GET', '/v1/devices')).devices.find(({ device }) => device === id);
  }

  // All pages of one of the lists.
  async all(path, key, as = this.adminToken) {
    const found = [];
    for (let after; ;) {
      const page = await this.#page(path, after, as);
      found.push(...page[key]);
      if (!page.next) return found;
      after = page.next;
    }
  }

  async #page(path, after, as) {
    const url = new URL(path, this.url);
    if (after) url.searchParams.set('after', after);
    const { status, body } = await this.call('GET', url.pathname + url.search, { as });
    if (status >= 300) throw new Error(`GET ${path}: ${status} ${JSON.stringify(body)}`);
    return body;
  }
}

// A test program that ends over an error leaves no server behind.
function killAtExit(child) {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
}

function binary() {
  const path = process.env.WAYSTATION;
  if (!path) throw new Error('set WAYSTATION to the path of the waystation binary');
  return path;
}
