// Importing this is what makes the codec be there: see _codec_late.ts.

import { decode, encode } from "./_codec.ts";
import { encodeError } from "./_codec_error.ts";
import { codecIsHere } from "./_codec_late.ts";

codecIsHere({ encode, encodeError, decode });
