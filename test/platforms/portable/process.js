// A process of its own on a map in a file: counts until it has counted enough, or until it is killed.
const [packageUrl, file, engine, count] = process.argv.slice(2)
const { ConcurrentMap } = await import(packageUrl)
const map = new ConcurrentMap({ file, engine })
console.log('ready')
for (let i = 0; i < Number(count); i++) map.increment('counter')
map.close()
