// Peers in Node, warm: reads one command per line, answers one line. Times are milliseconds of processor time, bytes in to bytes out.
import { readFileSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createRequire } from "node:module";

const require = createRequire(process.cwd() + "/");
const fast = require("fast-json-patch");
const { createPatch } = require("rfc6902");
const { JsonPatchDiff } = require("json-joy/lib/json-patch-diff/JsonPatchDiff");
const { create } = await import(`${process.cwd()}/node_modules/jsondiffpatch/lib/index.js`);
const { format } = await import(`${process.cwd()}/node_modules/jsondiffpatch/lib/formatters/jsonpatch.js`);

class Joy extends JsonPatchDiff {
  diffStr(path, src, dst) {
    // its own way to edit strings is not RFC 6902
    if (src !== dst) this.patch.push({ op: "replace", path, value: dst });
  }
}

const jdp = create({ objectHash: (item, index) => item?.id ?? `$${index}`, textDiff: { minLength: Infinity } });
const PEERS = {
  "fast-json-patch": (a, b) => fast.compare(a, b),
  rfc6902: (a, b) => createPatch(a, b),
  jsondiffpatch: (a, b) => format(jdp.diff(a, b)) ?? [],
  "json-joy": (a, b) => new Joy().diff("", a, b),
};

const texts = {};
for await (const line of createInterface({ input: process.stdin })) {
  const { load, peer, times, out } = JSON.parse(line);
  if (load) {
    [texts.a, texts.b] = load.map((path) => readFileSync(path));
    console.log("{}");
    continue;
  }
  let patch;
  const start = process.cpuUsage();
  for (let turn = 0; turn < times; turn++) {
    const a = JSON.parse(texts.a.toString());
    const b = JSON.parse(texts.b.toString());
    patch = Buffer.from(JSON.stringify(PEERS[peer](a, b)));
  }
  const used = process.cpuUsage(start);
  const ms = (used.user + used.system) / 1e3 / times;
  if (out) writeFileSync(out, patch);
  console.log(JSON.stringify({ ms, bytes: patch.length }));
}
