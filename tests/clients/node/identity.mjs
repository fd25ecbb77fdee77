// Does google-auth-library get, verify and use tokens with nothing but the environment of `groundrun exec`?
//
// usage: node identity.mjs CASE
//
// CASE is a JSON file: two private services, of which one lets the accounts of this case in, and the files
// of credentials that they have. The steps, their words and their order are those of ../python/identity.py.
// The first thing that is not as it should be ends the program with a message and status 1.

import { strictEqual as same } from 'node:assert';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.GROUNDRUN_TEST_NODE_MODULES ?? import.meta.dirname, 'identity.mjs'));
const { GoogleAuth, Impersonated, OAuth2Client, UserRefreshClient, gaxios } = require('google-auth-library');

const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const CASE = read(process.argv[2]);
const { bound: BOUND, unbound: UNBOUND } = CASE;
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

function step(name, saw) {
  console.log(JSON.stringify({ saw, step: name }));
}

async function call(token, url) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  return (await new gaxios.Gaxios().request({ url, headers, validateStatus: () => true })).status;
}

/** What both services answer to a token for each. */
async function calls(mint) {
  return [await call(await mint(BOUND), BOUND), await call(await mint(UNBOUND), UNBOUND)];
}

async function refused(act) {
  let found;
  try {
    found = await act();
  } catch {
    return 'refused';
  }
  throw new Error(`not refused: ${JSON.stringify(found)}`);
}

/** A token of whatever the library finds: the metadata server, or the file. */
const of = (options) => async (audience) => {
  const client = await new GoogleAuth(options).getIdTokenClient(audience);
  return client.idTokenProvider.fetchIdToken(audience);
};

step('no token', await call(null, BOUND));
const auth = new GoogleAuth({ scopes: [SCOPE] });
const source = await auth.getClient();
same(await auth.getProjectId(), CASE.project);
step('the account of the workload', (await auth.getCredentials()).client_email);
step('an access token in the place of an ID token', await call(await auth.getAccessToken(), BOUND));
const ofMetadata = of({});
step('a token of the metadata server', await calls(ofMetadata));
step('a token for somebody else', await call(await ofMetadata('https://else.example'), BOUND));
const token = await ofMetadata(BOUND);
const verify = (audience) => new OAuth2Client().verifyIdToken({ idToken: token, audience });
const claims = (await verify(BOUND)).getPayload();
step('what the verified token says', [claims.aud === BOUND, claims.email, claims.iss]);
step('verified for somebody else', await refused(() => verify(UNBOUND)));
step('a token of a key file', await calls(of({ keyFilename: CASE.keyFile })));
step('a key that was deleted', await refused(() => of({ keyFilename: CASE.deletedKeyFile })(BOUND)));
const ofImpersonation = (audience) =>
  new Impersonated({ sourceClient: source, targetPrincipal: CASE.invoker, targetScopes: [SCOPE] })
    .fetchIdToken(audience, { includeEmail: true });
step('a token by impersonation', await calls(ofImpersonation));
const ofUser = async (audience) => {
  const person = new UserRefreshClient();
  person.fromJSON(read(CASE.userFile));
  return person.fetchIdToken(audience);
};
step('a token of a user', await calls(ofUser));
