// What scripts and editors do with dockerode. Prints a JSON object of what came of it.
"use strict";
const Docker = require("dockerode");
const { PassThrough } = require("node:stream");

const docker = new Docker({ socketPath: process.env.SOCKET });
const [image, pulled, refused, archive] = process.argv.slice(2);
const found = {};

const read = (stream) =>
  new Promise((resolve, reject) => {
    const parts = [];
    stream.on("data", (part) => parts.push(part));
    stream.on("end", () => resolve(Buffer.concat(parts)));
    stream.on("error", reject);
  });
const followed = (stream) =>
  new Promise((resolve, reject) =>
    docker.modem.followProgress(stream, (error, lines) => (error ? reject(error) : resolve(lines))),
  );
const parted = async (stream) => {
  const out = new PassThrough();
  const err = new PassThrough();
  docker.modem.demuxStream(stream, out, err);
  const both = Promise.all([read(out), read(err)]);
  stream.on("end", () => (out.end(), err.end()));
  return (await both).map(String);
};
const why = (promise) => promise.then(() => "", (error) => `${error.statusCode}`);

async function containers() {
  const made = await docker.createContainer({
    Image: image, name: "node", platform: "linux/amd64", Cmd: ["sh", "-c", "echo begun; exec sleep 999"],
    Env: ["A=1", "B=2"], Labels: { a: "b" }, HostConfig: { Memory: 67108864, Binds: ["nodevol:/vol"] },
  });
  await made.start();
  found.listed = (await docker.listContainers({ filters: { label: ["a=b"] } })).map((row) => row.Names);
  found.memory = (await made.inspect()).HostConfig.Memory;
  const command = await made.exec({ Cmd: ["sh", "-c", "echo $A$B; echo e >&2"], AttachStdout: true, AttachStderr: true });
  found.said = await parted(await command.start({ hijack: true, stdin: true }));
  found.code = (await command.inspect()).ExitCode;
  const shell = await made.exec({ Cmd: ["cat"], AttachStdin: true, AttachStdout: true, Tty: false });
  const typed = await shell.start({ hijack: true, stdin: true });
  typed.end("typed\n");
  found.typed = (await parted(typed))[0];
  const screen = await made.exec({ Cmd: ["sleep", "9"], AttachStdout: true, Tty: true });
  const shown = await screen.start({ Tty: true });
  found.resized = await why(screen.resize({ h: 20, w: 70 }));
  shown.destroy();
  while (!(found.logs = String(await made.logs({ stdout: true, stderr: true, tail: 5 }))).includes("begun"));
  found.size = await why(made.resize({ h: 20, w: 70 }));
  await made.pause({});
  await made.unpause({});
  await made.rename({ name: "node2" });
  found.renamed = (await docker.getContainer("node2").inspect()).Name;
  await made.restart({ t: 0 });
  found.restarted = (await made.inspect()).State.Running;
  await made.stop({ t: 0 });
  found.stopped = (await made.inspect()).State.ExitCode;
  found.again = await why(made.start({ detachKeys: "ctrl-a" }));
  await made.start({});
  const end = made.wait({ condition: "next-exit" });
  await new Promise((resolve) => setTimeout(resolve, 300));
  await made.kill({ signal: "SIGKILL" });
  found.ended = (await end).StatusCode;
  const kept = await made.commit({ repo: "node", tag: "kept", comment: "c" });
  found.kept = kept.Id.length > 0;
  await made.remove({ v: true, force: true });
  found.gone = await why(made.inspect());
}

async function terminals() {
  const made = await docker.createContainer({ Image: image, Cmd: ["cat"], OpenStdin: true, StdinOnce: true });
  const stream = await made.attach({ stream: true, stdin: true, stdout: true, hijack: true });
  await made.start();
  stream.end("line\n");
  found.attached = (await parted(stream))[0];
  await made.wait();
  await made.remove();
  const out = new PassThrough();
  const text = read(out);
  const [ended] = await docker.run(image, ["sh", "-c", "echo ran; exit 3"], out, { HostConfig: { AutoRemove: true } });
  out.end();
  found.ran = [String(await text).trim(), ended.StatusCode];
}

async function images() {
  found.progress = (await followed(await docker.pull(pulled))).length > 0;
  found.pulled = (await docker.getImage(pulled).inspect()).RepoTags;
  found.refused = await why(docker.pull(refused));
  await docker.getImage(image).tag({ repo: "node", tag: "one" });
  const lines = await followed(await docker.buildImage(archive, { t: "node:built", labels: { a: "b" } }));
  found.built = lines.some((line) => /Successfully built/.test(line.stream || ""));
  found.labels = (await docker.getImage("node:built").inspect()).Config.Labels.a;
  for (const name of ["node:one", "node:built", "node:kept"]) await docker.getImage(name).remove({ force: true });
  found.pruned = await why(docker.pruneImages({ filters: { dangling: { true: true } } }));
}

async function others() {
  const network = await docker.createNetwork({ Name: "nodenet", Labels: { a: "b" } });
  found.network = (await network.inspect()).Name;
  await network.remove();
  const volume = await docker.createVolume({ Name: "nodevol2", Labels: { a: "b" } });
  found.volume = volume.Name || volume.name;
  const stopped = await docker.createContainer({ Image: image, name: "pruned" });
  await docker.pruneContainers({ filters: { label: ["a=b"] } });
  found.kept_container = (await stopped.inspect()).Name;
  await docker.pruneContainers({ filters: { "label!": ["a=b"] } });
  found.pruned_container = await why(stopped.inspect());
  for (const name of ["nodevol", "nodevol2"]) await docker.getVolume(name).remove({ force: true });
}

async function events() {
  const stream = await docker.getEvents({ filters: { type: ["container"], event: ["create"] } });
  const first = new Promise((resolve) => stream.once("data", (part) => resolve(JSON.parse(part))));
  const made = await docker.createContainer({ Image: image, name: "heard" });
  found.heard = (await first).Actor.Attributes.name;
  stream.destroy();
  await made.remove();
}

(async () => {
  for (const part of [containers, terminals, images, others, events]) await part();
  console.log(JSON.stringify(found));
  process.exit(0);
})().catch((error) => {
  console.error(error, JSON.stringify(found));
  process.exit(1);
});
