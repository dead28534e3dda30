// What was checked, and whether it held.

export class Table {
  #rows = [];

  /// Runs one check; what it throws is why it failed.
  async check(name, run) {
    try {
      await run();
      this.#rows.push({ name, held: true });
    } catch (error) {
      this.#rows.push({ name, held: false, why: error.message });
    }
  }

  /// Something outside of a check went wrong, and the rest was not run.
  broke(error) {
    this.#rows.push({ name: 'every check is run', held: false, why: error.stack });
  }

  /// Whether everything held, and there was something at all.
  holds() {
    return 0 < this.#rows.length && this.#rows.every((row) => row.held);
  }

  print() {
    for (const { name, held, why } of this.#rows) {
      console.log(`${held ? 'ok    ' : 'FAILED'}  ${name}`);
      if (!held) console.log(`        ${String(why).replaceAll('\n', '\n        ')}`);
    }
    const failed = this.#rows.filter((row) => !row.held).length;
    console.log(failed === 0 ? `\n${this.#rows.length} checks held` : `\n${failed} of ${this.#rows.length} checks FAILED`);
  }
}
