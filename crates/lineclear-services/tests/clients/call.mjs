// Calls functions of an official client, one after the other, and prints what each gave.
//
// node call.mjs '{"client": "cache6", "calls": [["saveCache", ["folder"], "key"]]}'
// The last line is `RESULTS [{"value": …} or {"error": …}, …]`.

const { client, calls } = JSON.parse(process.argv[2])
const loaded = await import(client)
const module = loaded.default && typeof loaded.default === 'object' ? { ...loaded.default, ...loaded } : loaded

function target() {
  if (client.startsWith('artifact')) return new module.DefaultArtifactClient()
  if (client.startsWith('github')) return octokit()
  return module
}

function octokit() {
  const kit = module.getOctokit(process.env.GITHUB_TOKEN)
  return {
    request: async (route, options) => {
      const { status, headers, data } = await kit.request(route, options)
      return { status, headers, data }
    },
    paginate: (route, options) => kit.paginate(route, options),
    graphql: (query, variables) => kit.graphql(query, variables),
    rest: async (area, name, options) => (await kit.rest[area][name](options)).data
  }
}

// `"$0.artifact.id"` as an argument is a part of the first call's value.
function resolved(argument) {
  const [, index, path] = /^\$(\d+)\.(.+)$/.exec(typeof argument === 'string' ? argument : '') ?? []
  return index === undefined ? argument : path.split('.').reduce((value, key) => value?.[key], results[index].value)
}

const on = target()
const results = []
for (const [name, ...args] of calls) {
  try {
    results.push({ value: (await on[name](...args.map(resolved))) ?? null })
  } catch (error) {
    results.push({ error: error.message, name: error.name, status: error.status })
  }
}
console.log(`\nRESULTS ${JSON.stringify(results)}`)
// Clients keep connections open for a while.
process.exit(0)
