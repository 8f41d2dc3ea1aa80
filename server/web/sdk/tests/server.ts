// A real server for a test: the one that tests/clients/ starts, with its checks of all that is said over HTTP by
// the office.

import { after } from 'node:test';

export interface Server {
  url: string;
  data: string;
  adminToken: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  killAndRestart(): Promise<void>;
  remove(): Promise<void>;
  admin<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
  createCode(scopes: string[], options?: { role?: string; uses?: number; name?: string }): Promise<string>;
  deviceRow(id: string): Promise<{ device: string; state: string; refused: number; queued: number; applied: number; wipe?: { confirmed?: number } }>;
  all<T>(path: string, key: string, as?: string): Promise<T[]>;
}

interface Helpers {
  startServer(options?: { args?: string[]; env?: Record<string, string> }): Promise<Server>;
}

const helpers = (await import(new URL('../../../../tests/clients/server.mjs', import.meta.url).href)) as Helpers;

/** Started once for a file; taken away behind its last test. */
export async function serverForFile(options?: { args?: string[] }): Promise<Server> {
  const server = await helpers.startServer(options);
  after(() => server.remove());
  return server;
}
