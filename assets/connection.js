// What Gradio's client learns from the server and keeps from components: a job's place in the queue,
// and how a request ended that was never answered. It is overheard where the client fetches.

import { hear, tell } from "./messages.js";

const SILENCE = 40_000; // ms; while a job waits or runs, a word comes every 15 s

const LOST =
  "The connection to the server is lost. This page loads again by itself when the server answers.";
const ENDED = "The connection to the server has ended. Please load this page again.";
const FULL = "Too many are waiting just now. Please press “Stylize” again in a minute.";
const FAILED = "The server could not do this. Please try again, or load this page again.";
const SILENT =
  "The server has not answered for a while. Please wait a little, or load this page again.";

const jobs = new Map(); // that have not ended, by the server's name: whether the bar asked for them
let silence = 0;
let lost = false; // then Gradio's client sends nothing more, and loads the page again

export function overhearClient() {
  const plain = window.fetch;
  window.fetch = async (request, options) => {
    const path = new URL(request.url ?? request, location.href).pathname;
    const [, kind] = path.match(/\/gradio_api\/(queue\/join|queue\/data|run)\b/) ?? [];
    const send = () => plain(request, options);
    if (!kind) return send();
    expectWords();
    let answer;
    try {
      answer = await send();
    } catch (error) {
      end(LOST);
      throw error;
    }
    if (!answer.ok) end(answer.status === 503 ? FULL : FAILED);
    else if (kind === "queue/join") await noteJob(options, answer.clone());
    return answer.ok && kind === "queue/data" ? overheard(answer, send) : answer;
  };
  hear("asked", () => lost && end(LOST));
}

function expectWords() {
  clearTimeout(silence);
  silence = setTimeout(() => tell("end", SILENT), SILENCE);
}

function end(words) {
  lost ||= words === LOST;
  jobs.clear();
  clearTimeout(silence);
  tell("end", words);
}

/** The bar's jobs are those that come with its request; a measurement has words of its own. */
async function noteJob({ body }, answer) {
  const [asked] = JSON.parse(body).data;
  jobs.set((await answer.json()).event_id, Boolean(asked?.networks));
}

/**
 * The answer with a stream that is read here first: on the last word the client breaks it off.
 *
 * The server closes it after its last job. A job that comes at that moment would wait for ever, as
 * its client believes the stream to be open; so the stream goes on with another, from `reopen`.
 */
function overheard(answer, reopen) {
  let reader = answer.body.getReader();
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let text = "";
  let left = false; // by the client
  const stop = (words) => {
    if (words && [...jobs.values()].includes(true)) end(words); // otherwise all has been said
    clearTimeout(silence);
  };
  const passOn = async (controller) => {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      expectWords();
      const messages = (text + decoder.decode(value, { stream: true })).split("\n\n");
      text = messages.pop();
      for (const message of messages) {
        const said = JSON.parse(message.replace(/^data:/, ""));
        hearMessage(said);
        if (said.msg === "close_stream" && jobs.size) reader = (await reopen()).body.getReader();
        else controller.enqueue(encoder.encode(`${message}\n\n`));
      }
    }
    if (left) return;
    stop(ENDED);
    controller.close();
  };
  const body = new ReadableStream({
    start(controller) {
      passOn(controller).catch((error) => {
        stop(LOST);
        controller.error(error);
      });
    },
    cancel(reason) {
      left = true;
      stop();
      return reader.cancel(reason);
    },
  });
  return new Response(body, answer);
}

function hearMessage({ msg, event_id: job, rank, rank_eta: seconds, success, output, ...other }) {
  if (msg === "unexpected_error") end(other.session_not_found ? LOST : ENDED);
  const isBars = jobs.get(job);
  if (msg === "estimation" && isBars) tell("queue", { rank, seconds });
  if (msg !== "process_completed") return;
  jobs.delete(job);
  if (!success && isBars) tell("end", output?.error || FAILED);
}
