// A line between a client and a server that breaks where a test says: in the midst of an answer.

import { once } from 'node:events';
import { createServer, connect } from 'node:net';

export class Relay {
  #server;
  #port;
  #lines = new Set();
  #orders = [];

  static async to(server) {
    const relay = new Relay();
    relay.#port = Number(new URL(server.url).port);
    relay.#server = createServer((client) => relay.#carry(client));
    relay.#server.listen(0, '127.0.0.1');
    await once(relay.#server, 'listening');
    return relay;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** Answers to requests that hold `mark` end after so many bytes, `times` of them: `how` is "end", as when the other
   *  side closes, or "reset". Returns the order, whose `done` counts. */
  cut(mark, bytes, { how, times = 1 }) {
    const order = { mark, bytes, how, times, done: 0 };
    this.#orders.push(order);
    return order;
  }

  #carry(client) {
    const server = connect(this.#port, '127.0.0.1');
    const line = { client, server, order: null, passed: 0 };
    this.#lines.add(line);
    client.on('data', (bytes) => {
      const order = this.#orders.find(({ mark, times, done }) => done < times && bytes.includes(mark));
      if (line.order === null && order !== undefined) {
        line.order = order;
        order.done += 1;
      }
      server.write(bytes);
    });
    server.on('data', (bytes) => this.#passOn(line, bytes));
    for (const [one, other] of [[client, server], [server, client]]) {
      one.on('error', () => {});
      one.on('close', () => { other.end(); this.#lines.delete(line); });
    }
  }

  #passOn(line, bytes) {
    const { client, server, order } = line;
    if (order === null || line.passed + bytes.length < order.bytes) {
      line.passed += order === null ? 0 : bytes.length;
      if (!client.write(bytes)) {
        server.pause();
        client.once('drain', () => server.resume());
      }
      return;
    }
    server.removeAllListeners('data');
    client.write(bytes.subarray(0, order.bytes - line.passed), () => {
      if (order.how === 'reset') client.resetAndDestroy();
      else client.end();
      server.destroy();
    });
  }

  async close() {
    for (const { client, server } of this.#lines) [client, server].forEach((socket) => socket.destroy());
    this.#server.close();
    await once(this.#server, 'close');
  }
}
