import { TestRunner, type RunnerTestCase, type SerializedConfig } from 'vitest'
import { scaled } from './run.js'
import { Watchdog } from './watchdog.js'

/** What a test may take, in milliseconds of a fair clock: MAPSAFE_LIMIT seconds, or by its size. */
const LIMIT_MS = Number(process.env.MAPSAFE_LIMIT ?? scaled(120)) * 1000

/**
 * Vitest's own runner, but with a {@link Watchdog} in place of its limits, which a busy machine reaches without any
 * fault of a test.
 */
export default class PatientRunner extends TestRunner {
  readonly #watchdog = new Watchdog(LIMIT_MS)

  constructor(config: SerializedConfig) {
    super(config)
    this.#watchdog.begin('what comes before the first test')
  }

  async runTask(test: RunnerTestCase): Promise<void> {
    await this.#watchdog.run(test.fullName, TestRunner.getTestFn(test))
  }

  override onAfterRunFiles(): void {
    this.#watchdog.rest()
    super.onAfterRunFiles()
  }
}
