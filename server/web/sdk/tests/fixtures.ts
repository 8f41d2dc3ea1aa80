// What many tests begin with: devices on IndexedDB (fake-indexeddb) that speak with a real server over a network
// that can fail, and a storage whose program can be killed at any moment.

import 'fake-indexeddb/auto';
import { randomBytes } from 'node:crypto';
import WebSocket from 'ws';
import type { ApiError } from '../api';
import { steadyClock } from '../clocks';
import { Device } from '../device';
import type { DeviceOptions } from '../device';
import { IndexedDbStorage } from '../indexeddb';
import type { Edits, Neighbours, Platform, ReadTx, RecordKey, Storage, Transport, WriteTx } from '../types';
import { MIRRORED } from '../tables';
import type { Mirrored } from '../tables';
import type { Server } from './server';

export const EVERYWHERE = ['*'];
export const FAST = { firstMs: 5, mostMs: 50 };

type Frame = Record<string, any>;

/** A network that fails as it is told; by itself it does not. */
export class Network implements Transport {
  isUp = true;
  /** Answers that get lost: the message of which it is the answer, by its kinds. */
  readonly lost: string[] = [];
  /** Asked for each message that would go out or come in: true cuts the connection there. */
  cuts: () => boolean = () => false;
  /** May change what the server says. */
  alter: (reply: Frame) => Frame = (reply) => reply;
  readonly sent: Frame[] = [];
  readonly received: Frame[] = [];
  readonly #cut = new Set<() => void>();

  setUp(isUp: boolean): void {
    this.isUp = isUp;
    if (!isUp) for (const cut of [...this.#cut]) cut();
  }

  async request(method: string, url: string, options: { headers?: Record<string, string>; body?: string; timeoutMs: number }) {
    if (!this.isUp || this.cuts()) throw new Error('the network is down');
    const frame = JSON.parse(options.body ?? '{}') as Record<string, unknown>;
    this.sent.push(frame);
    const response = await fetch(url, { method, headers: options.headers, body: options.body, signal: AbortSignal.timeout(options.timeoutMs) });
    const reply = this.alter((await response.json()) as Frame);
    if (!this.isUp || this.cuts() || this.#loses(Object.keys(frame))) throw new Error('lost on the way');
    this.received.push(reply);
    return { status: response.status, headers: (name: string) => response.headers.get(name), text: JSON.stringify(reply) };
  }

  connect(url: string, { onOpen, onMessage, onClose }: Parameters<Transport['connect']>[1]) {
    const socket = new WebSocket(url);
    let asked = '';
    let isClosed = false;
    const end = (code: number) => {
      if (isClosed) return;
      isClosed = true;
      this.#cut.delete(cut);
      socket.terminate();
      onClose(code);
    };
    const cut = () => end(1006);
    this.#cut.add(cut);
    if (!this.isUp) setTimeout(cut, 0);
    socket.on('open', () => (this.isUp ? !isClosed && onOpen() : cut()));
    socket.on('message', (data) => {
      if (isClosed) return;
      if (this.cuts()) return cut();
      const frame = this.alter(JSON.parse(String(data)) as Frame);
      const isAnswer = !('wipe' in frame) && asked !== '';
      if (isAnswer && this.#loses([asked])) return cut();
      if (isAnswer) asked = '';
      this.received.push(frame);
      onMessage(JSON.stringify(frame));
    });
    socket.on('close', end);
    socket.on('error', () => {});
    return {
      send: (text: string) => {
        if (isClosed || this.cuts()) return cut();
        const frame = JSON.parse(text) as Record<string, unknown>;
        asked = Object.keys(frame)[0] ?? '';
        this.sent.push(frame);
        socket.send(text);
      },
      close: () => end(1000),
    };
  }

  #loses(kinds: string[]): boolean {
    const at = this.lost.findIndex((kind) => kinds.includes(kind) || (kind === 'enroll' && kinds.includes('code')));
    if (at < 0) return false;
    this.lost.splice(at, 1);
    return true;
  }
}

/** A storage whose program can be killed: from then on no call of it comes back, and none does anything. */
export class MortalStorage implements Storage {
  readonly #storage: Storage;
  #isDead = false;
  /** Asked at each transaction: whether the program dies now, and if so whether this one still comes to pass. */
  fate: () => 'lives' | 'dies before' | 'dies behind' = () => 'lives';
  onDeath: () => void = () => {};
  writes = 0;

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  kill(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.onDeath();
  }

  read<T>(task: (tx: ReadTx) => Promise<T>): Promise<T> {
    return this.#isDead ? never() : this.#storage.read(task).then((result) => (this.#isDead ? never() : result));
  }

  async write<T>(change: (tx: WriteTx) => Promise<T>, options?: { relaxed?: boolean }): Promise<T> {
    if (this.#isDead) return never();
    this.writes += 1;
    const fate = this.fate();
    if (fate === 'dies before') this.kill();
    if (this.#isDead) return never();
    const result = await this.#storage.write(change, options);
    if (fate === 'dies behind') this.kill();
    return this.#isDead ? never() : result;
  }

  persist(): Promise<boolean> {
    return Promise.resolve(true);
  }

  close(): void {
    this.#storage.close();
  }
}

function never<T>(): Promise<T> {
  return new Promise(() => {});
}

let names = 0;

/** One phone: its storage outlives the programs that run on it. */
export class Phone {
  readonly name: string;
  readonly network = new Network();
  readonly options: DeviceOptions;
  storage!: MortalStorage;
  device!: Device;

  constructor(name = `phone${names++}`, options: DeviceOptions = {}) {
    this.name = name;
    this.options = { app: 'sdk tests 1', pauses: FAST, ...options };
  }

  platform(neighbours?: Neighbours): Platform {
    this.storage = new MortalStorage(new IndexedDbStorage(this.name));
    const boot = () => randomBytes(4).toString('hex');
    return { storage: this.storage, transport: this.network, clock: steadyClock(Date.now, () => performance.now(), boot),
             random: (count) => randomBytes(count), neighbours };
  }

  async start(neighbours?: Neighbours): Promise<Device> {
    this.device = await Device.open(this.platform(neighbours), this.options);
    return this.device;
  }

  /** The program ends without a word, in whatever it is doing; another one begins. */
  async killAndStart(): Promise<Device> {
    this.storage.kill();
    this.device.stop();
    return this.start();
  }
}

const phones: Phone[] = [];

export async function enrolledPhone(server: Server, scopes = EVERYWHERE, { role = 'office', ...options }: DeviceOptions & { role?: string } = {}): Promise<Phone> {
  const phone = new Phone(undefined, options);
  phones.push(phone);
  const device = await phone.start();
  await device.enroll(server.url, await server.createCode(scopes, { role }), 'a phone');
  return phone;
}

/** Behind each test that made phones live. */
export function stopPhones(): void {
  for (const { device } of phones.splice(0)) device.stop();
}

export function idOfScope(scope: string): string {
  return scope.replaceAll('/', '-');
}

/** A scope is born with its own record, written by a device that may see all scopes. Returns that phone. */
export async function createScopes(server: Server, ...scopes: string[]): Promise<Phone> {
  const office = await enrolledPhone(server);
  for (const scope of scopes) void office.device.edit({ scope, coll: 'scope', id: idOfScope(scope) }, { set: { title: `Scope ${scope}`, kind: 'event' } });
  await office.device.syncNow();
  return office;
}

export function note(scope: string, id: string): RecordKey {
  return { scope, coll: 'note', id };
}

export function text(value: string): Edits {
  return { set: { text: value } };
}

/** Fulfilled when `condition` holds; it is asked again after everything that changes the device. */
export async function until(device: Device, condition: () => boolean, what = condition.toString(), timeoutMs = 20_000): Promise<void> {
  if (condition()) return;
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => finish(() => reject(new Error(`not within ${timeoutMs} ms: ${what}; ${JSON.stringify(device.status())}`))), timeoutMs);
    // A program that was killed never fulfils it; the test does not wait for that.
    timer.unref();
    const end = device.subscribe(() => condition() && finish(resolve));
    const finish = (settle: () => void) => {
      clearTimeout(timer);
      end();
      settle();
    };
  });
}

export async function live(device: Device): Promise<void> {
  device.start();
  await until(device, () => device.status().connection === 'live' && device.status().waiting === 0, 'live and settled');
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(() => 'fulfilled', (error: ApiError) => error.code ?? String(error));
}

/** The records of the server that are not deleted, as text for comparing. */
export async function recordsOnServer(server: Server, coll: string, scope: string): Promise<Map<string, string>> {
  const records = await server.all<{ id: string; seq: number; fields?: unknown }>(`/v1/records?coll=${coll}&scope=${encodeURIComponent(scope)}`, 'records');
  return new Map(records.filter(({ fields }) => fields !== undefined).map(({ id, fields }): [string, string] => [id, canonicalText(fields)]).sort());
}

export function recordsOn(device: Device, coll: string, scope: string): Map<string, string> {
  return new Map(device.list(coll, scope).map(({ id, fields }): [string, string] => [id, canonicalText(fields)]).sort());
}

function canonicalText(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (part !== null && typeof part === 'object' && !Array.isArray(part) ? Object.fromEntries(Object.entries(part).sort()) : part));
}

/** What lies in a storage: what a backup of the phone holds. */
export class MirroredTables {
  readonly #rows: [Mirrored, [string, unknown][]][];

  private constructor(rows: [Mirrored, [string, unknown][]][]) {
    this.#rows = rows;
  }

  static async of(storage: Storage): Promise<MirroredTables> {
    return new MirroredTables(await storage.read((tx) => Promise.all(MIRRORED.map(async (table): Promise<[Mirrored, [string, unknown][]]> => [table, await tx.list(table)]))));
  }

  async putInto(storage: Storage): Promise<void> {
    await storage.write(async (tx) => {
      for (const [table, rows] of this.#rows) {
        tx.removeAll(table, '');
        for (const [key, value] of rows) tx.put(table, key, value);
      }
    });
  }
}
