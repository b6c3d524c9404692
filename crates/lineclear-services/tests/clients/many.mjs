// Uploads every file below `out` as one artifact and downloads it into `got`.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'

import { DefaultArtifactClient } from 'artifact6'

const root = join(process.cwd(), 'out')
const entries = readdirSync(root, { recursive: true, withFileTypes: true })
const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath ?? entry.path, entry.name))
const client = new DefaultArtifactClient()
const made = await client.uploadArtifact('many', files, root, { compressionLevel: 1 })
const path = join(process.cwd(), 'got')
const got = await client.downloadArtifact(made.id, { path, expectedHash: `sha256:${made.digest}` })
console.log(`\nRESULTS ${JSON.stringify([{ value: { files: files.length, digestMismatch: got.digestMismatch } }])}`)
process.exit(0)
