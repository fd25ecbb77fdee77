// Does @google-cloud/run work against the emulator at ADDRESS, and what does it see?
//
// usage: node scenario.mjs DOOR ADDRESS
//
// DOOR is rest or grpc. The steps, their words and their order are those of ../python/scenario.py. The first
// thing that is not as it should be ends the program with a message and status 1.

import { deepStrictEqual as same, notStrictEqual as different, ok } from 'node:assert';

import { Door, refused, short } from './doors.mjs';

const IMAGE = 'us-docker.pkg.dev/demo/app/web';

const [transport, address] = process.argv.slice(2);
const door = new Door(transport, address);

function step(name, saw) {
  console.log(JSON.stringify({ saw, step: name }));
  return saw;
}

/** What a call that must be refused is told. */
async function refusal(call) {
  let found;
  try {
    found = await call();
  } catch (error) {
    const told = refused(error);
    if (!told.status) throw error;
    return told;
  }
  throw new Error(`${call} was not refused: ${JSON.stringify(found)}`);
}

/** A refusal without what differs between the APIs. */
function seen({ status, message, violations }) {
  for (const { field, description } of violations) {
    ok(message.endsWith(`${field}: ${description}`), `'${message}' does not end with the violation of ${field}`);
    message = description;
  }
  message = message.replace(/(version|etag) (is )?'[^']*'/g, "version $2'?'").replace(/(-\d{5})-[a-z0-9]{3}'/g, "$1'");
  return { message, status };
}

async function writing() {
  const one = { image: IMAGE, env: { MODE: 'one' }, audiences: ['https://one.example'] };
  const created = step('create', await door.create('alpha', one));
  same(created.audiences, ['https://one.example']);
  same(step('read', await door.get('alpha')), created);
  const changed = step('change one field', await door.changeAudiences('alpha', ['aud1', 'aud2']));
  same(changed.audiences, ['aud1', 'aud2']);
  same(changed.env, { MODE: 'one' }, 'what the mask does not name');
  const two = { image: `${IMAGE}:v2`, env: { MODE: 'two' } };
  const replaced = step('replace', await door.replace('alpha', two));
  same(replaced.audiences, [], 'what a replacement leaves out');
  same(step('replace with the same', await door.replace('alpha', two)), replaced);
  same(step('validate only', await door.create('ghost', { image: IMAGE, validateOnly: true })), true);
}

async function listing() {
  for (const name of ['beta', 'gamma']) await door.create(name, { image: IMAGE });
  step('list by ones', await door.listPages(1));
  same(await door.listPages(0), [['gamma', 'beta', 'alpha']]);
  same(await door.listAll(1), ['gamma', 'beta', 'alpha']);
}

async function policy() {
  const before = await door.getPolicy('alpha');
  step('policy of a new service', before);
  const everyone = [{ role: 'roles/run.invoker', members: ['allUsers'] }];
  const written = await door.setPolicy('alpha', { etag: before.etag, bindings: everyone });
  step('policy that lets everyone invoke', written.bindings);
  different(written.etag, before.etag);
  const stale = { etag: before.etag, bindings: [] };
  step('policy with a stale etag', seen(await refusal(() => door.setPolicy('alpha', stale))));
  same(await door.getPolicy('alpha'), written, 'the policy after a refusal');
  const asked = ['run.services.get', 'run.services.delete', 'run.routes.invoke'];
  step('permissions held', (await door.testPermissions('alpha', asked)).sort());
}

async function operations() {
  const name = await door.operationOfCreate('delta', { image: IMAGE });
  const { of, done } = await door.waitOperation(name);
  same(await door.getOperation(name), { done: true, name });
  step('operation', { done, of });
  ok((await door.listOperations(true)).includes(name), `${name} is not among the finished operations`);
  same(await door.listOperations(false), [], 'the operations under way');
  step('delete', await door.delete('delta'));
}

async function revisions() {
  const names = await door.revisions('alpha');
  step('revisions', names.map(short));
  const [latest, oldest] = [names[0], names.at(-1)];
  step('one revision', await door.getRevision(oldest));
  step('delete the latest revision', seen(await refusal(() => door.deleteRevision(latest))));
  await door.deleteRevision(oldest);
  step('delete a retired revision', (await door.revisions('alpha')).map(short));
  step('read a deleted revision', seen(await refusal(() => door.getRevision(oldest))));
  step('operation that fails', seen(await refusal(() => door.sendTrafficTo('alpha', 'alpha-nowhere'))));
  same((await door.get('alpha')).serving, [['alpha-00003', 100]], 'what serves after a write that failed');
}

async function refusals() {
  step('create what exists', seen(await refusal(() => door.create('beta', { image: IMAGE }))));
  step('read what is missing', seen(await refusal(() => door.get('nothing'))));
  step('replace what is missing', seen(await refusal(() => door.replace('nothing', { image: IMAGE }))));
  const late = await refusal(() => door.create('late', { image: IMAGE, timeout: 3601 }));
  step('create with a wrong timeout', seen(late));
  same(late.violations.map(({ field }) => field), [Door.fields.timeout]);
  const reserved = await refusal(() => door.create('late', { image: IMAGE, env: { PORT: '1' } }));
  step('create with a reserved variable', seen(reserved));
  same(reserved.violations.map(({ field }) => field), [Door.fields.env]);
  step('write over a newer one', seen(await refusal(() => door.writeStale('beta'))));
  same(await door.listPages(0), [['gamma', 'beta', 'alpha']], 'what refusals stored');
}

async function deleting() {
  for (const name of ['alpha', 'beta', 'gamma']) await door.delete(name);
  step('read what was deleted', seen(await refusal(() => door.get('alpha'))));
  same((await door.listPages(0)).flat(), []);
  step('delete what was deleted', seen(await refusal(() => door.delete('alpha'))));
}

for (const part of [writing, listing, policy, operations, revisions, refusals, deleting]) await part();
