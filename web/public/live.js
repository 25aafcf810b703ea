// Live sound: sends what is recorded to the engine, and plays what comes back. Runs in the thread that makes sound, so it does
// as little as it can.
//
// The page makes an `AudioWorkletNode` named "live", and posts one end of a `MessageChannel` to its port; the other end goes to
// the engine. `Float32Array`s of one channel go through it, both ways. A message without a port ends the processor.

/** Samples sent at a time: about 20 ms, in whole blocks of 128. */
const SEND_LENGTH = 128 * Math.max(1, Math.round((sampleRate * 0.02) / 128));
/** Samples that may still wait when more come: more than that is left out, or the sound would lag ever further behind. */
const MAX_WAITING = sampleRate;

class Live extends AudioWorkletProcessor {
  sent = new Float32Array(SEND_LENGTH);
  filled = 0;
  queue = []; // to be played, in order
  played = 0; // samples of the first of them that were
  waiting = 0; // samples of all of them that were not
  running = true;

  constructor() {
    super();
    this.port.onmessage = ({ ports: [engine] }) => {
      this.engine = engine;
      this.running = engine !== undefined;
      if (engine) engine.onmessage = ({ data }) => this.receive(data);
    };
  }

  receive(samples) {
    this.queue.push(samples);
    for (; this.waiting > MAX_WAITING; this.played = 0) this.waiting -= this.queue.shift().length - this.played;
    this.waiting += samples.length;
  }

  process([input], [output]) {
    // The mean of the channels, of which there are none while nothing is connected.
    for (let i = 0; this.engine && i < (input[0]?.length ?? 0); i++) {
      this.sent[this.filled++] = input.reduce((sum, channel) => sum + channel[i], 0) / input.length;
      if (this.filled === SEND_LENGTH) {
        this.engine.postMessage(this.sent, [this.sent.buffer]);
        this.sent = new Float32Array(SEND_LENGTH);
        this.filled = 0;
      }
    }
    // Where nothing waits there is silence: the output is zero before it is written to.
    for (let i = 0; i < output[0].length && this.waiting > 0; i++, this.waiting--) {
      for (const channel of output) channel[i] = this.queue[0][this.played];
      if (++this.played === this.queue[0].length) {
        this.queue.shift();
        this.played = 0;
      }
    }
    return this.running;
  }
}

registerProcessor("live", Live);
