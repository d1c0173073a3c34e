// Runs one Lambda@Edge function the way Lambda's Node.js runtime does, for `provision dev`.
//
// Started as `node --input-type=module -e <this text> HANDLER MAJOR` in the package's folder, with
// standard input and output moved to descriptors 4 and 3, so that what the function prints never
// looks like a reply. Frames are those of runner.py: a 4-byte big-endian length, then bytes;
// replies begin with I (loaded), R (result) or E (stack trace).

import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";

const [handler, major] = process.argv.slice(1);
const requests = new net.Socket({ fd: 4, readable: true, writable: false });

function send(tag, text = "") {
  const payload = Buffer.from(tag + text, "utf8");
  const frame = Buffer.alloc(4 + payload.length);
  frame.writeUInt32BE(payload.length);
  payload.copy(frame, 4);
  for (let sent = 0; sent < frame.length;) sent += fs.writeSync(3, frame, sent);
}

async function load() {
  const dot = handler.lastIndexOf(".");
  const stem = path.resolve(handler.slice(0, dot));
  const file = [".js", ".mjs", ".cjs"].map((end) => stem + end).find((name) => fs.existsSync(name));
  if (!file) throw new Error(`Cannot find module '${handler.slice(0, dot)}' (.js, .mjs or .cjs)`);
  const module = await import(pathToFileURL(file).href);
  const name = handler.slice(dot + 1);
  const found = module[name] ?? module.default?.[name];
  if (typeof found !== "function") throw new Error(`${handler} is undefined or not exported`);
  return found;
}

function context(request) {
  const end = performance.now() + request.timeoutMs;
  return {
    awsRequestId: request.id,
    invokedFunctionArn: request.arn,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: `/aws/lambda/${process.env.AWS_LAMBDA_FUNCTION_NAME}`,
    logStreamName: "provision-dev",
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, Math.floor(end - performance.now())),
  };
}

// Up to Node.js 22 a plain function answers through its callback. If it never does, Lambda answers
// null as soon as nothing is left to wait for; the request channel must not count as something to
// wait for meanwhile.
function withCallback(run, request) {
  return new Promise((resolve, reject) => {
    const idle = () => settle(resolve, null);
    const settle = (how, value) => {
      process.removeListener("beforeExit", idle);
      requests.ref();
      how(value);
    };
    requests.unref();
    process.once("beforeExit", idle);
    const callback = (error, value) => (error ? settle(reject, error) : settle(resolve, value));
    try {
      const value = run(request.event, context(request), callback);
      if (typeof value?.then === "function")
        value.then(
          (got) => settle(resolve, got),
          (why) => settle(reject, why),
        );
    } catch (error) {
      settle(reject, error);
    }
  });
}

async function invoke(run, request) {
  if (Number(major) < 24) return withCallback(run, request);
  if (run.length >= 3)
    throw new Error(
      "Runtime.CallbackHandlerDeprecated: from nodejs24.x on, export an async function",
    );
  return run(request.event, context(request));
}

// The parent kills a function that takes too long. Should the parent itself have been killed while
// the function keeps this thread busy, the end of the channel goes unseen here; another thread
// looks for it.
function dieWithParent() {
  const watch =
    "const p=process.ppid;" +
      "setInterval(()=>{if(process.ppid!==p)process.kill(process.pid,'SIGKILL')},500)";
  new Worker(watch, { eval: true, execArgv: [] }).unref();
}

const text = (error) => (error instanceof Error ? error.stack : `Error: ${String(error)}`);

let run;
try {
  run = await load();
} catch (error) {
  send("E", text(error));
  process.exit(1);
}
dieWithParent();
send("I");

let pending = Buffer.alloc(0);
let work = Promise.resolve();
requests.on("data", (chunk) => {
  pending = Buffer.concat([pending, chunk]);
  while (pending.length >= 4 && pending.length >= 4 + pending.readUInt32BE(0)) {
    const length = pending.readUInt32BE(0);
    const request = JSON.parse(pending.toString("utf8", 4, 4 + length));
    pending = pending.subarray(4 + length);
    work = work.then(async () => {
      try {
        const payload = JSON.stringify(await invoke(run, request));
        send("R", payload ?? "null");
      } catch (error) {
        send("E", text(error));
      }
    });
  }
});
requests.on("close", () => process.exit(0));
