// A partner's program: registers, sends the owner to consent, and uses what it is given. It knows the portal's address
// and nothing else; all it speaks OAuth with is openid-client. Prints one line of JSON to ask for the owner, and one
// with what came of it.
import { once } from "node:events";
import { createServer } from "node:http";
import * as oauth from "openid-client";

const issuer = process.argv[2];
const server = createServer().listen(0, "127.0.0.1");
await once(server, "listening");
const callback_url = `http://127.0.0.1:${server.address().port}/callback`;

const made = await fetch(`${issuer}/api/v1/integrations`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ name: "Pickwise", email: "dev@pickwise.example", callback_url }),
});
const { client_id, client_secret } = await made.json();

const known = (authentication) => oauth.discovery(new URL(issuer), client_id, client_secret, authentication, {
  algorithm: "oauth2",
  execute: [oauth.allowInsecureRequests], // the portal under test is on loopback
});
const config = await known(oauth.ClientSecretBasic(client_secret));

const pkceCodeVerifier = oauth.randomPKCECodeVerifier();
const expectedState = oauth.randomState();
const address = oauth.buildAuthorizationUrl(config, {
  redirect_uri: callback_url,
  scope: "organization.read orders:read",
  code_challenge: await oauth.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: "S256",
  state: expectedState,
});
console.log(JSON.stringify({ authorize: address.href }));

const [request, response] = await once(server, "request");
response.end("<!doctype html><title>Pickwise</title><h1>Thank you</h1>");
const checks = { pkceCodeVerifier, expectedState }; // and `iss`, since the metadata document promises it
const first = await oauth.authorizationCodeGrant(config, new URL(request.url, callback_url), checks);
const read = await oauth.fetchProtectedResource(
  config, first.access_token, new URL(`${issuer}/api/organization/v1/organization`), "GET",
);
const organization = (await read.json()).name;
const second = await oauth.refreshTokenGrant(config, first.refresh_token);
const active = (await oauth.tokenIntrospection(config, second.access_token)).active;
await oauth.tokenRevocation(config, second.refresh_token);
const revoked = (await oauth.tokenIntrospection(config, second.access_token)).active;
const own = await oauth.clientCredentialsGrant(await known(oauth.ClientSecretPost(client_secret)), { scope: "self:read" });

console.log(JSON.stringify({
  scope: first.scope, organization, rotated: first.refresh_token !== second.refresh_token, active, revoked,
  own: own.scope,
}));
server.close();
server.closeAllConnections();
