// Suites that elsewhere test threads, here with processes that share a file. `npm run test:nightly` runs all of them
// so, and larger.
process.env.MAPSAFE_CREW = 'processes'
process.env.MAPSAFE_SCALE ??= '0.25'
await import('../concurrency/updates.test.js')
await import('../concurrency/growth.test.js')
await import('../linearizability/map.test.js')
