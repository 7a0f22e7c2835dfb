// The peer as one would write it by hand: Fastify and rfc6902. `node app.mjs PORT`.
import Fastify from "fastify";
import { createPatch } from "rfc6902";

const app = Fastify({ bodyLimit: 64 * 1024 * 1024 });
app.post("/patch", (request) => createPatch(request.body.a, request.body.b));
await app.listen({ host: "127.0.0.1", port: Number(process.argv[2]) });
