// What the demo shows: a progress bar, tables and marks on a terminal, plain lines anywhere else.

import { stdout } from "node:process"

export const BOLD = "1"
export const DIM = "2"
export const RED = "31"
export const GREEN = "32"
export const YELLOW = "33"
export const CYAN = "36"

/** A number as people read it: 12,148. */
export function grouped(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 0 })
}

export class Screen {
  readonly #live = stdout.isTTY && process.env.TERM !== "dumb"
  readonly #colour = this.#live && !process.env.NO_COLOR
  #barShown = false
  #nextLine = 0

  paint(text: string, ...codes: string[]): string {
    return this.#colour && codes.length > 0 ? `\x1b[${codes.join(";")}m${text}\x1b[0m` : text
  }

  say(text = "", ...codes: string[]): void {
    if (this.#barShown) stdout.write("\r\x1b[K")
    this.#barShown = false
    stdout.write(`${this.paint(text, ...codes)}\n`)
  }

  title(text: string): void {
    this.say()
    this.say(text, BOLD)
  }

  /** Draws the bar again; without a terminal it is a line now and then. */
  progress(done: number, total: number, note: string): void {
    const share = done / total
    if (!this.#live) {
      if (performance.now() < this.#nextLine) return
      this.#nextLine = performance.now() + 1000
      stdout.write(`  ${grouped(done)} of ${grouped(total)} orders ended (${Math.round(100 * share)}%), ${note}\n`)
      return
    }
    const width = Math.max(10, Math.min(40, stdout.columns - 50))
    const filled = Math.floor(width * share)
    const bar = this.paint("█".repeat(filled), GREEN) + this.paint("░".repeat(width - filled), DIM)
    stdout.write(`\r\x1b[K  ${bar} ${grouped(done)}/${grouped(total)}  ${this.paint(note, DIM)}`)
    this.#barShown = true
  }

  /** Leaves the bar as it is and goes on below. */
  settle(): void {
    if (this.#barShown) stdout.write("\n")
    this.#barShown = false
  }

  check(right: boolean, text: string, note = ""): void {
    const mark = right ? this.paint("✔", GREEN) : this.paint("✘", RED, BOLD)
    this.say(`  ${mark} ${text}${note === "" ? "" : this.paint(`  ${note}`, DIM)}`)
  }

  /** A table whose first column is words and whose others are numbers. */
  table(head: string[], rows: string[][], total: string[]): void {
    const widths = head.map((_, column) => Math.max(...[head, ...rows, total].map((row) => row[column]?.length ?? 0)))
    const line = (cells: string[]): string => {
      const padded = widths.map((width, column) => {
        const cell = cells[column] ?? ""
        return column === 0 ? cell.padEnd(width) : cell.padStart(width)
      })
      return `  ${padded.join("   ")}`
    }
    const rule = `  ${"─".repeat(widths.reduce((sum, width) => sum + width, 3 * (widths.length - 1)))}`
    this.say(line(head), BOLD)
    this.say(rule, DIM)
    for (const row of rows) this.say(line(row))
    this.say(rule, DIM)
    this.say(line(total), BOLD)
  }
}
