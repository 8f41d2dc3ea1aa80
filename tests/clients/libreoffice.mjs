// Opens files as people of the office would, in LibreOffice (Debian's libreoffice-calc-nogui), without a window.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { csvCells } from './csv_file.mjs';

const run = promisify(execFile);
const RUN_MS = 120_000;

// CSV with commas and quotes, in UTF-8, from line 1, text in quotes and numbers bare, no formulas, all sheets.
// As shown: a number by its format, 1.50 and not 1.5.
const filter = (asShown) => `csv:Text - txt - csv (StarCalc):44,34,76,1,,0,true,true,${asShown},false,false,-1`;

/** LibreOffice with a profile of its own, so that it minds no other that is running. */
export class LibreOffice {
  #folder;

  static async start() {
    const office = new LibreOffice();
    office.#folder = await mkdtemp(join(tmpdir(), 'waystation-libreoffice-'));
    return office;
  }

  /** `files`: names to bytes. Names to what was opened: its sheets by name, each the rows of its cells (csv_file.mjs).
   *  What did not open is not among them. */
  async open(files, { asShown }) {
    const from = join(this.#folder, 'from');
    const to = join(this.#folder, 'to');
    await Promise.all([from, to].map((folder) => mkdir(folder)));
    const paths = Object.keys(files).map((name) => join(from, `${name}.xlsx`));
    await Promise.all(paths.map((path, i) => writeFile(path, Object.values(files)[i])));
    // It ends with 0 also where it could open nothing.
    const profile = `-env:UserInstallation=file://${this.#folder}/profile`;
    await run('soffice', [profile, '--headless', '--norestore', '--convert-to', filter(asShown), '--outdir', to, ...paths],
              { timeout: RUN_MS, killSignal: 'SIGKILL' }).catch((error) => {
      throw error.code === 'ENOENT' ? new Error('no soffice: install libreoffice-calc-nogui, as tools/test does') : error;
    });
    const opened = {};
    for (const made of (await readdir(to)).sort()) {
      const [, name, sheet] = /^(.*?)-(.*)\.csv$/s.exec(made);
      (opened[name] ??= {})[sheet] = csvCells(await readFile(join(to, made), 'utf8'));
    }
    await Promise.all([from, to].map((folder) => rm(folder, { recursive: true })));
    return opened;
  }

  async remove() {
    await rm(this.#folder, { recursive: true, force: true });
  }
}
