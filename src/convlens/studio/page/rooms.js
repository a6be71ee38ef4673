/* Rooms: the parts of the studio in the order of its tabs. A room is one module.

   A room has a key, the key of its name among the texts, and a component that shows it. */

import { imagesRoom } from "./images/room.js";

export const rooms = [imagesRoom];
