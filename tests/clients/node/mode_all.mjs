// Does Node reach everything with nothing but its environment? Prints what it saw, a JSON value a line.
//
// Arguments as those of ../python/mode_all.py.

import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.GROUNDRUN_TEST_NODE_MODULES ?? import.meta.dirname, 'mode_all.mjs'));
const { OAuth2Client } = require('google-auth-library');
const { ServicesClient } = require('@google-cloud/run').v2;

const [hosted, local, token, neighbour] = process.argv.slice(2);
const saw = (what, value) => console.log(JSON.stringify([what, value]));
const client = new OAuth2Client();
const status = async (url, headers = {}) =>
  (await client.transporter.request({ url, headers, validateStatus: () => true, retry: false })).status;

for (const [name, url] of [['hosted', hosted], ['local', local]]) {
  saw(`gaxios ${name}`, await status(url, { authorization: `Bearer ${token}` }));
  saw(`gaxios ${name} without a token`, await status(url));
}

// The URL of the certificates is built into the library.
const ticket = await client.verifyIdToken({ idToken: token, audience: hosted });
saw('verified for the service', ticket.getPayload().aud === hosted);

// No endpoint, no credentials, the channel that the library makes by itself: TLS through a tunnel.
const [listed] = await new ServicesClient().listServices(
  { parent: 'projects/demo-project/locations/us-central1' },
  { timeout: 20_000 },
);
saw('services by grpc', listed.map((service) => service.name.split('/').pop()));

const answer = await client.transporter.request({ url: neighbour, responseType: 'text' });
saw('neighbour by gaxios', answer.data);
