// What many tests begin with: scopes, enrolled devices, and a socket that says exactly what it is told.

import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import WebSocket from 'ws';
import { Device, PROTOCOL_VERSION, systemClock } from './client.mjs';
import { CHECKED, checkClientFrame, checkServerFrame } from './schemas.mjs';

export const EVERYWHERE = ['*'];

let passedMs = 0;

/** Time goes by on all devices made here, without waiting: what they write from now on is later, and what was written
 *  before is earlier than what the server does, by more than any hello can be on its way. Not for a device that is
 *  connected, whose clock the server knows from when it greeted. */
export function timePasses(ms = 30_000) {
  passedMs += ms;
}

/** A clock that timePasses() moves on; its wall clock is fast by `fastMs`. */
export function clockOfTests(fastMs = 0) {
  const clock = systemClock();
  return () => {
    const { wall, mono, boot } = clock();
    return { wall: wall + passedMs + fastMs, mono: mono + passedMs, boot };
  };
}

export async function enrolledDevice(server, scopes = EVERYWHERE, options = {}) {
  const device = new Device({ url: server.url, watch: CHECKED, clock: clockOfTests(), ...options });
  await device.enroll(await server.createCode(scopes));
  return device;
}

export function enrolledDevices(server, count, scopes = EVERYWHERE, options = {}) {
  return Promise.all(Array.from({ length: count }, () => enrolledDevice(server, scopes, options)));
}

// A scope is born with its own record, written by a device that may see all scopes. Returns that device.
export async function createScopes(server, ...scopes) {
  const office = await enrolledDevice(server);
  for (const scope of scopes) office.edit(scope, 'scope', idOfScope(scope), { set: { title: `Scope ${scope}`, kind: 'event' } });
  await office.sync();
  return office;
}

export function idOfScope(scope) {
  return scope.replaceAll('/', '-');
}

// An op as a client would write it now, for tests that speak without a Device.
export function opNow(n, scope, coll, id, edits, clock = systemClock('raw')()) {
  return { n, scope, coll, id, ...clock, schema: 1, base: 0, ...edits };
}

export function helloOf(device, clock = systemClock('raw')()) {
  return { v: PROTOCOL_VERSION, device: device.id, token: device.token, clock };
}

// One frame over HTTP with a hello in front.
export function syncFrame(server, device, messages) {
  return server.call('POST', '/v1/sync', { body: { hello: helloOf(device), ...messages } });
}

// Sends what it is told, valid or not, and hands out the answers one by one.
export class RawSocket {
  #socket;
  #closed;
  #received = [];
  #waiting = [];

  static async open(server, options) {
    const raw = new RawSocket(new WebSocket(server.liveUrl, options));
    await once(raw.#socket, 'open');
    return raw;
  }

  static async greeted(server, device) {
    const raw = await RawSocket.open(server);
    raw.welcome = (await raw.ask({ hello: helloOf(device) })).welcome;
    if (!raw.welcome) throw new Error('no welcome');
    return raw;
  }

  constructor(socket) {
    this.#socket = socket;
    socket.on('message', (data, isBinary) => this.#take(isBinary ? data : JSON.parse(data.toString('utf8'))));
    socket.on('error', () => {});
    this.#closed = new Promise((resolve) => socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })));
    this.#closed.then(() => this.#waiting.forEach(({ reject }) => reject(new Error('the connection was closed'))));
  }

  // How the server closed the connection; an error when it does not.
  async closed(timeoutMs = 10_000) {
    const stop = new AbortController();
    const late = pause(timeoutMs, null, { signal: stop.signal }).catch(() => null);
    const how = await Promise.race([this.#closed, late]);
    stop.abort();
    if (how === null) throw new Error(`the connection is still open after ${timeoutMs} ms`);
    return how;
  }

  #take(frame) {
    const next = this.#waiting.shift();
    if (next) next.resolve(frame);
    else this.#received.push(frame);
  }

  // A valid frame.
  send(frame) {
    checkClientFrame(frame);
    this.sendAsIs(JSON.stringify(frame));
  }

  // Any text, or bytes as a binary message.
  sendAsIs(data) {
    this.#socket.send(data);
  }

  async next(timeoutMs = 10_000) {
    const frame = this.#received.shift() ?? await this.#nextToCome(timeoutMs);
    checkServerFrame(frame);
    return frame;
  }

  #nextToCome(timeoutMs) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(reject)(new Error(`nothing came within ${timeoutMs} ms`)), timeoutMs);
      const entry = {};
      const settle = (done) => (value) => {
        clearTimeout(timer);
        this.#waiting = this.#waiting.filter((one) => one !== entry);
        done(value);
      };
      Object.assign(entry, { resolve: settle(resolve), reject: settle(reject) });
      this.#waiting.push(entry);
    });
  }

  ask(frame, timeoutMs) {
    this.send(frame);
    return this.next(timeoutMs);
  }

  askAsIs(data, timeoutMs) {
    this.sendAsIs(data);
    return this.next(timeoutMs);
  }

  // Pulls until the server says that this was all; returns all changes.
  async pullAll(cursor = '') {
    const changes = [];
    for (;;) {
      const page = (await this.ask({ pull: { cursor } })).changes;
      changes.push(...page.changes);
      cursor = page.cursor;
      if (!page.more) return { changes, cursor, digests: page.digests };
    }
  }

  async close() {
    this.#socket.close(1000);
    await this.closed();
  }
}
