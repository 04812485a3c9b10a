// Puts a program into hostile memory, as what it imports before its own first module.

import { useHostileMemory } from "./memory.ts";

useHostileMemory();
