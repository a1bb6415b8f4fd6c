/** What writers of text files write. */
import { TextSink } from '../../src/trace/text-sink.js';

export function gathered(writes: (out: TextSink) => void): string {
  let text = '';
  const out = new TextSink((bytes) => (text += Buffer.from(bytes).toString('latin1')));
  writes(out);
  out.flush();
  return text;
}
