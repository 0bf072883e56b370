// Formats the C++ (--write), or fails if some is not formatted (--check). Skipped where clang-format is not installed.
import { exists, files, must } from './tools.js'

const mode = { '--write': ['-i'], '--check': ['--dry-run', '-Werror'] }[process.argv[2]]
if (!mode) throw new Error('usage: clang-format.js --write | --check')

if (exists('clang-format')) {
  must('clang-format', [...mode, ...files('native').filter((name) => /\.(h|cc)$/.test(name))])
} else {
  console.warn(
    'clang-format is not installed: the C++ was not looked at. On Debian and Ubuntu: apt-get install clang-format',
  )
}
