// The part of the Web Locks API that tabs.ts uses, for Node, which has none.

interface Waiting {
  run: () => void;
}

class Lock {
  holder: { stolen: (why: Error) => void } | null = null;
  readonly waiting: Waiting[] = [];
}

class Locks {
  readonly #locks = new Map<string, Lock>();

  request(name: string, options: { steal?: boolean; signal?: AbortSignal }, task: () => Promise<void>): Promise<void> {
    const lock = this.#locks.get(name) ?? new Lock();
    this.#locks.set(name, lock);
    return new Promise((resolve, reject) => {
      const waiting = { run: () => this.#hold(lock, task, resolve, reject) };
      if (options.steal) {
        lock.holder?.stolen(new DOMException('stolen', 'AbortError'));
        lock.holder = null;
        return waiting.run();
      }
      options.signal?.addEventListener('abort', () => {
        const at = lock.waiting.indexOf(waiting);
        if (at < 0) return;
        lock.waiting.splice(at, 1);
        reject(new DOMException('given up', 'AbortError'));
      });
      lock.waiting.push(waiting);
      setTimeout(() => this.#next(lock), 0);
    });
  }

  #hold(lock: Lock, task: () => Promise<void>, resolve: () => void, reject: (why: Error) => void): void {
    const holder = { stolen: reject };
    lock.holder = holder;
    void task().then(() => {
      resolve();
      if (lock.holder !== holder) return;
      lock.holder = null;
      this.#next(lock);
    });
  }

  #next(lock: Lock): void {
    if (lock.holder === null) lock.waiting.shift()?.run();
  }
}

export function installLocks(): void {
  Object.defineProperty(globalThis, 'navigator', { value: { locks: new Locks() }, configurable: true });
}
