// Does a service stay as it is when a client reads it and writes it back?
//
// usage: node write_back.mjs DOOR ADDRESS SERVICE
//
// Prints the name of the service that was read.

import { Door } from './doors.mjs';

const [transport, address, service] = process.argv.slice(2);
const { name } = await new Door(transport, address).writeBack(service);
console.log(JSON.stringify({ name }));
