import type { Command } from './command.js'
import { big } from './commands/big.js'
import { deleted } from './commands/deleted.js'
import { doctor } from './commands/doctor.js'
import { dump } from './commands/dump.js'
import { extract } from './commands/extract.js'
import { get } from './commands/get.js'
import { hot } from './commands/hot.js'
import { inspect } from './commands/inspect.js'
import { keys } from './commands/keys.js'
import { load } from './commands/load.js'
import { repair } from './commands/repair.js'
import { top } from './commands/top.js'
import { verify } from './commands/verify.js'

/** All commands, in the order of `mapsafe --help`. */
export const COMMANDS: readonly Command[] = [
  inspect,
  verify,
  doctor,
  repair,
  top,
  keys,
  get,
  big,
  hot,
  dump,
  load,
  deleted,
  extract,
]
