// Asks for an identity token as actions do and verifies it as a third party does: by discovery and key set.
//
// node identity.mjs '{"client": "core3", "audience": "sts", "issuer": "http://127.0.0.1:1"}'

import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'

const { client, audience, expected, issuer } = JSON.parse(process.argv[2])
const core = await import(client)
const token = await core.getIDToken(audience ?? undefined)
const discovery = await (await fetch(`${issuer}/.well-known/openid-configuration`)).json()
const keys = createRemoteJWKSet(new URL(discovery.jwks_uri))
const { payload } = await jwtVerify(token, keys, {
  issuer: discovery.issuer,
  audience: expected,
  algorithms: discovery.id_token_signing_alg_values_supported
})
console.log(`\nRESULTS ${JSON.stringify([{ value: { payload, header: decodeProtectedHeader(token), discovery } }])}`)
process.exit(0)
