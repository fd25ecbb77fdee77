// How does @google-cloud/run speak v2, over gRPC and REST, and in which words does it tell what it saw?
//
// The words are those of ../python/doors.py.

import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.GROUNDRUN_TEST_NODE_MODULES ?? import.meta.dirname, 'scenario.mjs'));
const { v2 } = require('@google-cloud/run');
const { PassThroughClient } = require('google-auth-library');

const PROJECT = 'demo-project';
const REGION = 'us-central1';
export const PARENT = `projects/${PROJECT}/locations/${REGION}`;
const STATUS = {
  3: 'INVALID_ARGUMENT',
  5: 'NOT_FOUND',
  6: 'ALREADY_EXISTS',
  9: 'FAILED_PRECONDITION',
  10: 'ABORTED',
  13: 'INTERNAL',
};

export const fullName = service => `${PARENT}/services/${service}`;
const last = name => name.split('/').at(-1);
/** The name of a revision without its random end: service and number. */
export const short = name => last(name).replace(/(-\d{5})-[a-z0-9]{3}$/, '$1');

function spec({ image, env = {}, audiences = [], timeout }) {
  const list = Object.entries(env).map(([name, value]) => ({ name, value }));
  const template = { containers: [{ image, env: list }] };
  if (timeout) template.timeout = { seconds: timeout };
  return { template, customAudiences: audiences };
}

function seenService(service) {
  const { template } = service;
  const [container] = template.containers;
  return {
    account: template.serviceAccount,
    audiences: service.customAudiences,
    concurrency: template.maxInstanceRequestConcurrency,
    created: short(service.latestCreatedRevision),
    env: Object.fromEntries(container.env.map(({ name, value }) => [name, value])),
    generation: Number(service.generation),
    host: service.uri.replace('http://', '').split(':')[0],
    image: container.image,
    ingress: service.ingress.replace('INGRESS_TRAFFIC_', '').toLowerCase(),
    limits: container.resources.limits,
    name: last(service.name),
    port: { containerPort: container.ports[0].containerPort, name: container.ports[0].name },
    ready: service.terminalCondition.state === 'CONDITION_SUCCEEDED',
    served: short(service.latestReadyRevision),
    serving: service.trafficStatuses.map(({ revision, percent }) => [
      short(revision || service.latestReadyRevision),
      percent,
    ]),
    settled: String(service.generation) === String(service.observedGeneration),
    startup: container.startupProbe.tcpSocket.port,
    timeout: Number(template.timeout.seconds),
    traffic: service.traffic.map(entry => [entry.revision || 'LATEST', entry.percent]),
  };
}

function seenRevision(revision) {
  const states = Object.fromEntries(revision.conditions.map(condition => [condition.type, condition]));
  return {
    generation: Number(revision.generation),
    image: revision.containers[0].image,
    name: short(revision.name),
    of: last(revision.service),
    ready: states.Ready.state === 'CONDITION_SUCCEEDED',
    retired: states.Active.revisionReason === 'RETIRED',
  };
}

/** What an error of the client says of a refusal. */
export function refused(error) {
  const http = error.cause?.message?.startsWith?.('{') && JSON.parse(error.cause.message).error;
  if (http) {
    // Over REST this client throws what its HTTP library throws, with the body of the answer as text.
    if (http.code !== error.status) throw new Error(`status ${error.status} says that it is ${http.code}`);
    const violations = http.details.flatMap(detail => detail.fieldViolations ?? []);
    return { status: http.status, message: http.message, violations };
  }
  const violations = (error.statusDetails ?? []).flatMap(detail => detail.fieldViolations ?? []);
  // The message of an error over gRPC begins with the number of its status; that of an operation does not.
  const message = error.message.replace(/^\d+ [A-Z_]+: /, '');
  return { status: STATUS[error.code], message, violations };
}

/** One of the transports of @google-cloud/run. */
export class Door {
  static fields = { env: 'service.template.containers[0].env', timeout: 'service.template.timeout' };

  constructor(transport, address) {
    const [apiEndpoint, port] = address.split(':');
    const where = { apiEndpoint, port: Number(port), projectId: PROJECT };
    const how = {
      grpc: () => {
        const { grpc } = require('google-gax');
        return { ...where, sslCreds: grpc.credentials.createInsecure() };
      },
      rest: () => ({ ...where, fallback: true, protocol: 'http', authClient: new PassThroughClient() }),
    }[transport]();
    this.services = new v2.ServicesClient(how);
    this.revisionClient = new v2.RevisionsClient(how);
  }

  /** What an operation makes, as soon as it has. */
  async finished([operation]) {
    const [made] = await operation.promise();
    return made;
  }

  started(name, { validateOnly, ...what }) {
    return this.services.createService({ parent: PARENT, serviceId: name, service: spec(what), validateOnly });
  }

  async create(name, what) {
    const started = await this.started(name, what);
    if (what.validateOnly) return started[0].metadata.template.maxInstanceRequestConcurrency === 80;
    const made = await this.finished(started);
    if (made.name !== fullName(name)) throw new Error(`the operation made ${made.name}`);
    return this.get(name);
  }

  async operationOfCreate(name, what) {
    const [operation] = await this.started(name, what);
    return operation.name;
  }

  async read(name) {
    const [service] = await this.services.getService({ name: fullName(name) });
    return service;
  }

  async get(name) {
    return seenService(await this.read(name));
  }

  async patch(name, what, mask) {
    const updateMask = mask && { paths: [mask] };
    await this.finished(await this.services.updateService({ service: { name: fullName(name), ...what }, updateMask }));
    return this.get(name);
  }

  changeAudiences(name, customAudiences) {
    return this.patch(name, { customAudiences }, 'custom_audiences');
  }

  replace(name, what) {
    return this.patch(name, spec(what));
  }

  /** Writes what was read, without a mask. */
  async writeBack(name) {
    const service = await this.read(name);
    await this.finished(await this.services.updateService({ service }));
    return service;
  }

  sendTrafficTo(name, revision) {
    const target = { type: 'TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION', revision, percent: 100 };
    return this.patch(name, { traffic: [target] }, 'traffic');
  }

  async writeStale(name) {
    const { etag } = await this.read(name);
    await this.patch(name, { description: 'newer' }, 'description');
    return this.services.deleteService({ name: fullName(name), etag });
  }

  async listPages(pageSize) {
    const pages = [];
    let pageToken = '';
    do {
      const request = { parent: PARENT, pageSize, pageToken };
      const [services, , page] = await this.services.listServices(request, { autoPaginate: false });
      pages.push(services.map(service => last(service.name)));
      pageToken = page?.nextPageToken;
    } while (pageToken);
    return pages;
  }

  /** The names of all services, as the client walks the pages by itself. */
  async listAll(pageSize) {
    const names = [];
    const services = this.services.listServicesAsync({ parent: PARENT, pageSize });
    for await (const service of services) names.push(last(service.name));
    return names;
  }

  async delete(name) {
    const gone = await this.finished(await this.services.deleteService({ name: fullName(name) }));
    return { deleted: gone.deleteTime != null, name: last(gone.name) };
  }

  async revisions(name) {
    const [revisions] = await this.revisionClient.listRevisions({ parent: fullName(name) });
    return revisions.map(revision => revision.name);
  }

  async getRevision(name) {
    const [revision] = await this.revisionClient.getRevision({ name });
    return seenRevision(revision);
  }

  async deleteRevision(name) {
    return this.finished(await this.revisionClient.deleteRevision({ name }));
  }

  async getPolicy(name) {
    const [policy] = await this.services.getIamPolicy({ resource: fullName(name) });
    return seenPolicy(policy);
  }

  async setPolicy(name, { etag, bindings }) {
    const policy = { etag: Buffer.from(etag, 'base64'), bindings };
    const [written] = await this.services.setIamPolicy({ resource: fullName(name), policy });
    return seenPolicy(written);
  }

  async testPermissions(name, permissions) {
    const [answer] = await this.services.testIamPermissions({ resource: fullName(name), permissions });
    return answer.permissions;
  }

  async getOperation(name) {
    const [operation] = await this.services.getOperation({ name });
    return { done: operation.done, name: operation.name };
  }

  /** Waits for an operation that the client knows by nothing but its name. */
  async waitOperation(name) {
    const operation = await this.services.checkCreateServiceProgress(name);
    const [made] = await operation.promise();
    return { done: operation.done, name, of: last(made.name) };
  }

  async listOperations(done) {
    const names = [];
    const request = { name: PARENT, filter: `done:${done}`, pageSize: 2 };
    for await (const operation of this.services.listOperationsAsync(request)) names.push(operation.name);
    return names;
  }
}

function seenPolicy({ bindings, etag }) {
  const plain = bindings.map(({ role, members }) => ({ members, role }));
  return { bindings: plain, etag: Buffer.from(etag).toString('base64') };
}
