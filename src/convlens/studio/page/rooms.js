/* Rooms: the parts of the studio in the order of its tabs.

   A room has a key, the key of its name among the texts, and either its component or a function
   that loads it when it is first shown. A room that is loaded brings /page/KEY/room.css. Its tab
   leads back to what it showed when it was left, unless it `forgets` that: an address of the images
   asks for one image once. */

import { Room as ImagesRoom } from "./images/room.js";

export const rooms = [
  { key: "images", name: "room_images", Room: ImagesRoom, forgets: true },
  { key: "train", name: "room_train", load: () => import("./train/room.js") },
  { key: "scores", name: "room_scores", load: () => import("./scores/room.js") },
  { key: "try", name: "room_try", load: () => import("./try/room.js") },
  { key: "microscope", name: "room_microscope", load: () => import("./microscope/room.js") },
  { key: "ship", name: "room_ship", load: () => import("./ship/room.js") },
];
