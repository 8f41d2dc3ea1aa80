// Pauses before trying again: they double each time, and are spread out so that a hundred phones do not come
// back in one moment.

export interface Pauses {
  firstMs: number;
  mostMs: number;
}

export const PAUSES: Pauses = { firstMs: 500, mostMs: 60_000 };

/** `attempt` counts from 1; `chance` lies in [0, 1). */
export function pauseMs(attempt: number, pauses: Pauses, chance: number): number {
  const most = Math.min(pauses.mostMs, pauses.firstMs * 2 ** Math.min(attempt - 1, 30));
  return most / 2 + chance * (most / 2);
}

/** What a busy server asked for, and up to a half more. */
export function busyMs(retryAfterMs: number, chance: number): number {
  return retryAfterMs * (1 + chance / 2);
}

/** A pause that can be cut short. */
export class Sleep {
  #wake: (() => void) | null = null;

  async for(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }

  cutShort(): void {
    this.#wake?.();
  }
}
