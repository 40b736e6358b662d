// Verifies messages with the reference library of Standard Webhooks, each key by itself; then again with one bit of it
// turned over, which must not pass. Reads lines of JSON from the file it is given, and prints one with what came of it.
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const messages = readFileSync(process.argv[2], "utf8").trimEnd().split("\n").map(JSON.parse);
const found = { messages: messages.length, verified: 0, refused: 0, turned: 0, turned_and_accepted: 0, bits: 0 };

const accepts = (key, headers, body) => {
  try {
    new Webhook(key).verify(body, headers, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
};

const turn = (bytes, bit) => {
  const turned = Buffer.from(bytes);
  turned[bit >> 3] ^= 1 << (bit & 7);
  return turned;
};

// Each part is the name of a header, or empty for the body.
const turned = (headers, body, part, bit) =>
  part ? [{ ...headers, [part]: turn(Buffer.from(headers[part], "latin1"), bit).toString("latin1") }, body]
    : [headers, turn(body, bit)];

const lengths = (headers, body) => [["", body.length], ...Object.entries(headers).map(([name, value]) => [name, value.length])];

for (const [number, { keys, stranger, headers, body: encoded }] of messages.entries()) {
  const body = Buffer.from(encoded, "base64");
  found.verified += keys.every((key) => accepts(key, headers, body));
  found.refused += !accepts(stranger, headers, body);
  if (keys.length > 1) continue; // the other signature still holds
  const parts = lengths(headers, body).filter(([, length]) => length);
  const every = number < 100 && body.length < 200;
  const [part, length] = parts[(number * 7) % parts.length];
  const chosen = every
    ? parts.flatMap(([name, size]) => Array.from({ length: 8 * size }, (_, bit) => [name, bit]))
    : [[part, (number * 7919) % (8 * length)]];
  found.turned += 1;
  found.bits += chosen.length;
  found.turned_and_accepted += chosen.filter(([name, bit]) => accepts(keys[0], ...turned(headers, body, name, bit))).length;
}
console.log(JSON.stringify(found));
