import type { Command } from './command.js'
import { big } from './commands/big.js'
import { doctor } from './commands/doctor.js'
import { dump } from './commands/dump.js'
import { get } from './commands/get.js'
import { hot } from './commands/hot.js'
import { inspect } from './commands/inspect.js'
import { keys } from './commands/keys.js'
import { load } from './commands/load.js'
import { verify } from './commands/verify.js'

/** All commands, in the order of `mapsafe --help`. */
export const COMMANDS: readonly Command[] = [inspect, verify, doctor, keys, get, big, hot, dump, load]
