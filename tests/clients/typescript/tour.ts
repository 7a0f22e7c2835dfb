// The main jobs of a client, through openapi-fetch with the types generated from openapi.yaml: `node build/tour.js URL`.
// Says each job that it has done in a line of its own.
import createClient from "openapi-fetch";
import type { JsonPatch, PatchRecord, paths, PlainPatch, Resource } from "./build/contract.js";

declare const process: { argv: string[] };

const client = createClient<paths>({
  baseUrl: process.argv[2] ?? "",
  querySerializer: { object: { style: "form", explode: true } }, // filters of lists are parameters of their own
});
const type = "clinic";

function expect(actual: unknown, wanted: unknown): void {
  const [found, right] = [JSON.stringify(actual), JSON.stringify(wanted)];
  if (found !== right) throw new Error(`got ${found} instead of ${right}`);
}

function present<T>(answer: { data?: T; error?: { detail: string }; response: Response }): NonNullable<T> {
  if (answer.data === undefined || answer.data === null) throw new Error(`${answer.response.status}: ${answer.error?.detail}`);
  return answer.data;
}

function asForm(body: object): FormData {
  const form = new FormData();
  for (const [name, part] of Object.entries(body)) {
    if (part instanceof Blob) form.append(name, part, "document.json");
    else form.append(name, String(part));
  }
  return form;
}

function upload(document: unknown): Blob {
  return new Blob([JSON.stringify(document)], { type: "application/json" });
}

async function compareUploads(): Promise<void> {
  const answer = await client.POST("/api/json/v1/patch", {
    body: { a: upload({ name: "Foot clinic" }), b: upload({ name: "Hand clinic" }), patchDirection: "bToA" },
    bodySerializer: asForm,
  });
  expect(present(answer), [{ op: "replace", path: "/name", value: "Foot clinic" }]);
}

async function compareInJson(): Promise<void> {
  const answer = await client.POST("/api/json/v1/patch", {
    body: {
      a: { type: "inline", value: { beds: 10, seen: "Monday" } },
      b: { type: "raw", value: '{"beds": 12, "seen": "Friday"}' },
      dxConfig: [{ ignoreChanges: "delete", key: "seen" }],
    },
  });
  expect(present(answer), [{ op: "replace", path: "/beds", value: 12 }]);
}

async function keepAComparison(): Promise<void> {
  const answer = await client.POST("/api/json/v1/patch", {
    params: { query: { store: true } },
    body: { a: { type: "inline", value: { beds: 10 } }, b: { type: "inline", value: { beds: 12 } }, dxConfig: [{ only: "/beds" }] },
  });
  const comparison_id = answer.response.headers.get("Location")?.split("/").pop() ?? "";
  const kept = present(await client.GET("/api/json/v1/comparisons/{comparison_id}", { params: { path: { comparison_id } } }));
  expect(kept.patch.map((each) => [each.op, each.path, each.value]), [["replace", "/beds", 12]]);
  expect(kept.options, [{ only: "/beds" }]);
}

async function create(): Promise<Resource> {
  const made = present(
    await client.POST("/v1/{type}", {
      params: { path: { type } },
      body: { name: "Foot clinic", phone: [{ value: "111" }], beds: 10 },
    }),
  );
  expect(Object.keys(made), ["id", "name", "phone", "beds", "createdAt", "updatedAt"]);
  return made;
}

async function patchInThePlainDialect(id: string): Promise<void> {
  const body: PlainPatch = [{ op: "add", path: "phone/1", value: { value: "222" } }];
  const patched = present(await client.PATCH("/v1/{type}/{id}", { params: { path: { type, id } }, body }));
  expect((patched["phone"] as { value: string }[]).map((each) => each.value), ["111", "222"]);
}

async function patchByJsonPatch(id: string): Promise<void> {
  const body: JsonPatch = [
    { op: "test", path: "/phone/1/value", value: "222" },
    { op: "move", path: "/fax", from: "/phone/1/value" },
  ];
  const headers = { "Content-Type": "application/json-patch+json" };
  const patched = present(await client.PATCH("/v1/{type}/{id}", { params: { path: { type, id } }, body, headers }));
  expect(patched["fax"], "222");
}

async function patchByMergePatch(id: string): Promise<void> {
  const answer = await client.PATCH("/v1/{type}/{id}", {
    params: { path: { type, id }, header: { "If-Match": '"3"' } },
    headers: { "Content-Type": "application/merge-patch+json" },
    body: { fax: null, open: true },
  });
  expect("fax" in present(answer), false);
  expect(answer.response.headers.get("ETag"), '"4"');
}

async function record(id: string): Promise<PatchRecord> {
  const recorded = present(
    await client.POST("/resources/{resource_id}/patches", {
      params: { path: { resource_id: id } },
      body: {
        definition: {
          patch_id: "more-beds",
          constraints: [{ field: "beds", operator: ">=", value: 10 }],
          payload: { operations: [{ op: "replace", path: "/beds", value: 12 }] },
          metadata: { season: "winter" },
        },
      },
    }),
  );
  expect([recorded.status, recorded.definition.metadata?.["season"]], ["pending", "winter"]);
  return recorded;
}

async function check(path: { resource_id: string; patch_id: string }): Promise<void> {
  const preview = present(
    await client.POST("/resources/{resource_id}/patches/{patch_id}/check", { params: { path }, body: {} }),
  );
  expect([preview.verdicts[0]?.satisfied, preview.document?.["beds"]], [true, 12]);
}

async function apply(path: { resource_id: string; patch_id: string }): Promise<void> {
  const application = present(
    await client.POST("/resources/{resource_id}/patches/{patch_id}/apply", { params: { path }, body: {} }),
  );
  expect([application.status, application.result_version], ["applied", 5]);
  const stored = await client.GET("/v1/{type}/{id}", { params: { path: { type, id: path.resource_id } } });
  expect(present(stored)["beds"], 12);
}

async function putBack(id: string): Promise<void> {
  const params = { path: { type, id } };
  const stored = present(await client.GET("/v1/{type}/{id}", { params }));
  const replaced = present(await client.PUT("/v1/{type}/{id}", { params, body: { ...stored, beds: 14 } }));
  expect([replaced["beds"], replaced.createdAt], [14, stored.createdAt]);
}

async function find(id: string): Promise<void> {
  const filter = { "beds[gte]": "13", "phone.value": '"111"' };
  const query = { filter, sort: "-updatedAt", limit: 1 };
  const found = present(await client.GET("/v1/{type}", { params: { path: { type }, query } }));
  expect(found.map((each) => each.id), [id]);
}

async function handleAProblem(id: string): Promise<void> {
  const body: JsonPatch = [
    { op: "add", path: "/beds", value: 14 },
    { op: "test", path: "/open", value: false },
  ];
  const headers = { "Content-Type": "application/json-patch+json" };
  const { error } = await client.PATCH("/v1/{type}/{id}", { params: { path: { type, id } }, body, headers });
  expect([error?.status, error?.code, error?.errors?.[0]?.path], [409, "test-failed", "/open"]);
}

async function readTheContract(): Promise<void> {
  const { data } = await client.GET("/openapi.yaml", { parseAs: "text" });
  expect(data?.startsWith("openapi: 3.1.0"), true);
}

await compareUploads();
console.log("compare-form");
await compareInJson();
console.log("compare-json");
await keepAComparison();
console.log("compare-kept");
const made = await create();
console.log("create");
await patchInThePlainDialect(made.id);
console.log("patch-plain");
await patchByJsonPatch(made.id);
console.log("patch-json");
await patchByMergePatch(made.id);
console.log("patch-merge");
const recorded = await record(made.id);
console.log("record");
await check(recorded);
console.log("check");
await apply(recorded);
console.log("apply");
await putBack(made.id);
console.log("replace");
await find(made.id);
console.log("list");
await handleAProblem(made.id);
console.log("problem");
await readTheContract();
console.log("contract");
