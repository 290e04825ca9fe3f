// Generated from services/search-gateway/openapi.json by `npm run types`. Do not edit.

export interface paths {
    "/api/v1/duplicates": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Browse the pictures that are there more than once, in groups, that with the newest copy first.
         * @description A group has at least two pictures of those that the filters let through.
         */
        get: operations["browseDuplicates"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/facets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Count the pictures that filters let through, by label, folder, camera and the like.
         * @description A year is that of `taken_at`, or else of `modified_at`.
         */
        get: operations["getFacets"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/images": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Browse the collection, the newest first: by the clock where it was taken, else by when it was modified, in UTC.
         * @description A file whose time is in the future comes last.
         */
        get: operations["browseImages"];
        put?: never;
        /**
         * Add pictures to the bucket.
         * @description Each is checked to be a picture first. One whose bytes an indexed picture has is not added again, but listed with
         *     that picture's key. One whose name is taken gets a number. They are found by searches once they are indexed, seconds
         *     later. Only where BUCKET_WRITABLE is true.
         */
        post: operations["uploadImages"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/images/{image_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get what is known of a picture. */
        get: operations["getImage"];
        put?: never;
        post?: never;
        /**
         * Remove a picture from the bucket.
         * @description The file is deleted; nothing keeps a copy. Only where BUCKET_WRITABLE is true.
         */
        delete: operations["deleteImage"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/images/{image_id}/file": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the file itself, as it lies in the bucket, or a range of it. */
        get: operations["getImageFile"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/images/{image_id}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a picture at a size for a screen, in a format that every browser shows. */
        get: operations["getImagePreview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/images/{image_id}/similar": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Find pictures that are like one of the collection. */
        get: operations["searchSimilar"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/images/{image_id}/thumbnail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get a picture at a size for a list. */
        get: operations["getImageThumbnail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ingest": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get how many pictures are pending, indexed and failed.
         * @description To be asked once a second while something is under way. With an answer's ETag as If-None-Match, what has not changed
         *     since is not sent again.
         */
        get: operations["getIngest"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ingest/confirm-loss": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Confirm that the pictures that are missing and held are really gone.
         * @description They leave the search. For some days (WATCHER_KEEP_DAYS) they cost nothing where their files come back.
         */
        post: operations["confirmLoss"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ingest/failures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the pictures that could not be indexed, and why. */
        get: operations["getFailures"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ingest/left-out": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * List what the bucket holds that is not indexed: by kind, with the reason, how many there are, and examples.
         * @description What should be indexed and cannot be is among the failures instead.
         */
        get: operations["getLeftOut"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/ingest/rescan": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for failed pictures to be tried again now, or for keys, a folder or the bucket to be looked at now.
         * @description The bucket is listed every minute anyway, so that nothing is missed without this call. With `verify`, files are read
         *     and compared whose size and times are the same.
         */
        post: operations["rescan"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/maps": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the maps there are, the newest first. */
        get: operations["getMaps"];
        put?: never;
        /**
         * Ask for a map: pictures laid out so that what is alike lies together.
         * @description An equal request gets the map that is there. Where pictures came or went since, new ones are placed into it and old
         *     ones stay where they are; with more than a quarter new, it is computed anew.
         */
        post: operations["makeMap"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/maps/uploads": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ask for a map of pictures that are not, and will not be, in the collection.
         * @description A file's name may be a path: the folder that it lies in is its label.
         */
        post: operations["makeMapOfUploads"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/maps/{map_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Get a map; while it is computed, with its points as they stand.
         * @description To be asked once a second until it is done, failed or cancelled: with the `version` that is known as `since`, and
         *     the answer's ETag as If-None-Match, what has not changed is not sent again.
         */
        get: operations["getMap"];
        put?: never;
        post?: never;
        /** Cancel a map that waits or is computed; forget one that is finished. */
        delete: operations["deleteMap"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/maps/{map_id}/points/{index}/thumbnail": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the thumbnail of a point of an uploaded map. */
        get: operations["getMapThumbnail"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the models that encoders serve, and the one that the collection was made with. */
        get: operations["getModels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/search": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Search by text: words, what is left out, and filters.
         * @description `fruit -orange` looks for fruit, and for none that looks like an orange; `-"steam engine"` leaves out one thing.
         *     What stands in quotes is never anything but words. Filters:
         *
         *     - `folder:2019` (and below), `label:cats`, `name:IMG_12`, `words:holiday` (in name, folders, title or keywords)
         *     - `camera:nikon`, `lens:50mm`, `type:png`, `shape:portrait`, `size:>2mp`, `size:<500kb`, `rating:4` (at least)
         *     - `date:2020-05` (within), `after:2020-05` (from its beginning on), `before:2021` (before its beginning),
         *     `added:2024-01` (since)
         *     - `near:52.5,13.4,10km` (latitude, longitude, distance), `box:47.3,5.9,55.1,15.0` (south, west, north, east)
         *
         *     A value with spaces stands in quotes. Of one field any value is enough, different ones must all hold, bounds too; a
         *     minus before a filter leaves out what it finds. What has a colon and is no field, such as `16:9`, is a word, and so
         *     are `AND`, `OR` and parentheses.
         *
         *     Where there are filters and no words, the newest pictures that they let through are the results. The answer says in
         *     `query` how the text was understood, and in `named` which pictures have its words in their names; these leave
         *     `results` as they are. `syntax=plain` takes the text as it is.
         */
        get: operations["searchByText"];
        put?: never;
        /**
         * Search by texts, pictures, crops of pictures; without what is not wanted; by what was right and wrong.
         * @description The query's vector is the normalised sum of the parts' vectors, each times its weight. Where no file is sent, the
         *     query is JSON; else the form's field `query` has it, or the plainer fields beside.
         */
        post: operations["search"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get what this visitor may do. */
        get: operations["getSession"];
        put?: never;
        /**
         * Exchange a key for a session's cookie, which programs do not need: they send the key itself.
         * @description The cookie is good for requests of this gateway's own pages alone, until it expires or the key is no longer one.
         */
        post: operations["signIn"];
        /** Sign out: have the browser forget the cookie. */
        delete: operations["signOut"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/stats": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Count what the collection holds. */
        get: operations["getStats"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Say that the process answers. */
        get: operations["getHealth"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the gateway's metrics. */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/readyz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Say whether searches will be answered: the catalogue, and an encoder for its collection. */
        get: operations["getReadiness"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        Accepted: {
            /** Format: uuid */
            id: string;
            key: string;
            /** @description As it was sent. */
            name: string;
        };
        Alive: {
            /** @enum {string} */
            status: "ok";
        };
        AskedMap: {
            /** Format: date-time-local */
            after: string | null;
            /** Format: date-time-local */
            before: string | null;
            /** @description As they were given; empty without any. */
            filters: {
                [key: string]: unknown;
            };
            folders: string[];
            /** @description How many pictures were named one by one; 0 where a filter was given. */
            ids: number;
            labels: string[];
            per_label: number;
            perplexity: number;
            sample: number;
            /** @description Whether the pictures were uploaded for this map. */
            upload: boolean;
        };
        BucketProblem: {
            /** @description A sentence. */
            message: string;
            /** Format: date-time */
            since: string | null;
        };
        Cluster: {
            /**
             * Format: uuid
             * @description The picture that is most like all of them together.
             */
            best_id: string;
            /** @description Its place in the list. */
            id: number;
            /** @description What its pictures share: the name of their folder, a word, or two of them; null where nothing says it. */
            name: string | null;
            /** @description The mean cosine of its pictures to the query. */
            similarity: number;
            /** @description How many results it has. */
            size: number;
        };
        CollectionRef: {
            fingerprint: string;
            model_id: string;
            name: string;
        };
        ComposedQuery: {
            /** @description When the picture first came into the collection: at this moment or later. */
            added_after?: string;
            /** @description When the picture first came into the collection: before this moment. */
            added_before?: string;
            /** @description Taken (or, where that is not known, modified) at this moment or later. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC. */
            after?: string;
            /** @description Taken (or, where that is not known, modified) before this moment. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC. */
            before?: string;
            /** @description Taken within a box: south, west, north, east, in degrees; it may cross the date line. */
            box?: string;
            /** @description Words of the camera's name: `nikon` for `NIKON D70`. */
            camera?: string[];
            /** @description Whether the first 50 results come with a graph, and the likely ones in clusters. true where it is not given. */
            clusters?: boolean;
            /** @description Results that are wrong: what looks like them goes down, and they are left out. [] where it is not given. */
            disliked?: string[];
            /** @description Whether copies of a picture, equal or nearly equal, are shown once, with the number of their `copies`. true where it is not given. */
            distinct?: boolean;
            /** @description How much the first 100 results look different from those before them: 0 leaves the best first, 1 counts nothing but the difference; 0.3 shows more kinds and loses little of what is right. 0.0 where it is not given. */
            diversity?: number;
            /** @description A folder's path; `a/b/` is `a/b`. What lies in folders below it counts too. Repeat it for several. */
            folder?: string[];
            /** @description A format. Its usual endings, such as `jpg`, are taken too. */
            format?: ("JPEG" | "PNG" | "WebP" | "GIF" | "BMP" | "TIFF" | "HEIC" | "AVIF" | "JPEG XL" | "JPEG 2000" | "PSD" | "camera raw")[];
            /** @description The name of the folder that the picture lies in; repeat it for several. */
            label?: string[];
            /** @description Words of the lens's name. */
            lens?: string[];
            /** @description Results that are right: what looks like them goes up. [] where it is not given. */
            liked?: string[];
            /** @description How many results at most. 50 where it is not given. */
            limit?: number;
            /** @description The file's size is at most this. */
            max_bytes?: number;
            /** @description Width times height is at most this. */
            max_pixels?: number;
            /** @description The file's size is at least this. */
            min_bytes?: number;
            /** @description Width times height is at least this. */
            min_pixels?: number;
            /** @description Words, each of which begins a word of the file's name: `IMG_12` for `IMG_1234.jpg`. */
            name?: string[];
            /** @description Taken within a circle: latitude, longitude, kilometres. */
            near?: string;
            /** @description As `camera`, left out. */
            not_camera?: string[];
            /** @description A folder that is left out, and what is below it. */
            not_folder?: string[];
            /** @description As `format`, left out. */
            not_format?: ("JPEG" | "PNG" | "WebP" | "GIF" | "BMP" | "TIFF" | "HEIC" | "AVIF" | "JPEG XL" | "JPEG 2000" | "PSD" | "camera raw")[];
            /** @description A label that is left out; repeat it for several, as the others. */
            not_label?: string[];
            /** @description As `lens`, left out. */
            not_lens?: string[];
            /** @description As `name`, left out. */
            not_name?: string[];
            /** @description As `shape`, left out. */
            not_shape?: ("landscape" | "portrait" | "square" | "panorama")[];
            /** @description As `words`, left out. */
            not_words?: string[];
            /** @description How many of the best to leave out. Pages are cuts of one list, by similarity, then id, but for a text's first hundred where the model knows a better order. With `limit`, no more than QDRANT_MAX_DEPTH, which is 1000 unless it is set (`too-deep`). 0 where it is not given. */
            offset?: number;
            /** @description The query's vector is the normalised sum of the parts' vectors, each times its weight. At most 4 are files or crops. Without any, what is `liked` is looked for. */
            parts?: components["schemas"]["QueryPart"][];
            /** @description At least so many stars, of five. */
            rating?: number;
            /** @description A panorama is at least twice as long as wide; a square's sides differ by 5 % at most. */
            shape?: ("landscape" | "portrait" | "square" | "panorama")[];
            /**
             * @description `best`: the best first. `date`: of the first 500 the likely ones alone, the newest first, by when they were taken, or else modified; `limit` and `offset` then count among these. Not for a query of several kinds, and `not-ready` until the collection is calibrated, seconds after the first start. "best" where it is not given.
             * @enum {string}
             */
            sort?: "best" | "date";
            /** @description Words, each of which is in the file's name, its folders, its title or its keywords. */
            words?: string[];
        };
        ConfirmLoss: {
            /** @description Those that were missing at this moment, and are held; all that are held where it is not given. */
            until?: string;
        };
        Confirmed: {
            /** @description How many pictures were held when this was asked for. */
            held: number;
            queued: boolean;
        };
        Confusion: {
            a: string;
            b: string;
            /** @description Of the nearest neighbours of a's pictures, those that are b's. */
            share: number;
        };
        Counts: {
            failed: number;
            indexed: number;
            pending: number;
            total: number;
        };
        CropRectangle: {
            /** @description Its height, in heights of the picture, from 0 to 1. */
            height: number;
            /** @description Its width, in widths of the picture, from 0 to 1. */
            width: number;
            /** @description Its left side, in widths of the picture, from 0 to 1. */
            x: number;
            /** @description Its upper side, in heights of the picture, from 0 to 1. */
            y: number;
        };
        Database: {
            /** @description What to run then, in the watcher's container: it shows the state, and what to do. */
            command: string | null;
            /** @description Those that answer. */
            copies_alive: number;
            /** @description Copies of all shards that there should be. */
            copies_wanted: number;
            /** @description Addresses of those that do not. */
            dead_nodes: string[];
            /** @description What is wrong, as a sentence; null while all is well. */
            message: string | null;
            nodes: number;
            /** @description Those that answer. */
            nodes_alive: number;
            /** @description The parts into which the collections are divided. */
            shards: number;
            /** @description Those of which no copy answers: searches fail. */
            shards_unavailable: number;
            /** @description Copies that are being made or moved. */
            transfers: number;
        };
        DuplicateGroup: {
            /**
             * Format: uuid
             * @description The one to keep: the largest, then the least compressed, then the oldest.
             */
            best_id: string;
            /** @description Of all that are listed. */
            bytes: number;
            /** @description How many there are. */
            count: number;
            /** @description Those indexed first before the others, at most 200. */
            images: components["schemas"]["Image"][];
            /** @enum {string} */
            kind: "equal" | "near" | "burst";
            /** @description Of those, without the best. */
            saved_bytes: number;
        };
        DuplicateGroups: {
            /** @description Gives the next page; null on the last. */
            cursor: string | null;
            groups: components["schemas"]["DuplicateGroup"][];
        };
        Edge: {
            /** @description Cosine, from -1 to 1. */
            similarity: number;
            /** @description `query`, or the id of the better ranked picture. */
            source: string;
            /** Format: uuid */
            target: string;
        };
        FacetValue: {
            count: number;
            /** @description As the filter of the same name takes it; of `rating`, exactly so many stars; of `year`, four digits. */
            value: string;
        };
        Facets: {
            /** @description In the order in which they were asked for. */
            facets: components["schemas"]["FieldCounts"][];
        };
        Failure: {
            attempts: number;
            /** Format: uuid */
            id: string;
            key: string;
            /**
             * Format: date-time
             * @description Null where only a change of the file can help.
             */
            next_try_at: string | null;
            reason: string | null;
        };
        Failures: {
            cursor: string | null;
            failures: components["schemas"]["Failure"][];
        };
        FieldCounts: {
            /** @enum {string} */
            field: "label" | "folder" | "format" | "camera" | "lens" | "shape" | "rating" | "year";
            values: components["schemas"]["FacetValue"][];
        };
        FieldError: {
            detail: string;
            /** @description query, body or path */
            in: string;
            name: string;
        };
        Held: {
            count: number;
            /** @description Keys of some of them. */
            examples: string[];
            /** @description What is the matter, as a sentence. */
            message: string;
            /** @description Of how many pictures. */
            of: number;
            /**
             * Format: date-time
             * @description When the first of them was found missing.
             */
            since: string;
        };
        Hit: {
            bytes: number | null;
            camera: string | null;
            /** @description Its cluster's id; null where it is weak, beyond the first 50, and without clusters. */
            cluster: number | null;
            /** @description How many copies it has, of equal bytes or nearly equal, of those that the filters let through; null where not counted. */
            copies: number | null;
            /** @description The file itself. */
            file_url: string;
            /** @description Each folder above it, by path. */
            folders: string[];
            /** @description JPEG, PNG, ... */
            format: string | null;
            height: number | null;
            /** Format: uuid */
            id: string;
            /** Format: date-time */
            indexed_at: string | null;
            /** @description Its place in the bucket. */
            key: string;
            /** @description The name of its folder. */
            label: string | null;
            /** Format: date-time */
            modified_at: string | null;
            /** @description The last part of its key. */
            name: string;
            /** @description What is missing of the picture, where its file is damaged. */
            note: string | null;
            /** @description WebP, longest side at most 1600. */
            preview_url: string;
            /** @description How likely it is what was asked for, from 0 to 1. Among the first results it never rises down the list, and no later one is likelier than these. It means the same for every query, which a similarity does not. Null where that is not known: of a query of several kinds, and until the collection is calibrated. */
            probability: number | null;
            /** @description Why it failed. */
            reason: string | null;
            /**
             * @description `likely` where the probability is at least one half, else `weak`.
             * @enum {string|null}
             */
            relevance: "likely" | "weak" | null;
            /** @description Of the file as it was indexed. */
            sha256: string | null;
            /** @description Cosine, from -1 to 1; null where `q` has filters alone, and nothing was compared. */
            similarity: number | null;
            /** @enum {string} */
            state: "pending" | "indexed" | "failed";
            /**
             * Format: date-time-local
             * @description When it was taken, by the clock on the wall there. Sorting, `after` and `before` go by it.
             */
            taken_at: string | null;
            /** @description How far that clock was ahead of UTC; null where it is not known. */
            taken_offset: string | null;
            /** @description WebP, longest side 384. */
            thumbnail_url: string;
            /** @description Pixels, orientation applied. */
            width: number | null;
        };
        Image: {
            bytes: number | null;
            camera: string | null;
            /** @description How many copies it has, of equal bytes or nearly equal, of those that the filters let through; null where not counted. */
            copies: number | null;
            /** @description The file itself. */
            file_url: string;
            /** @description Each folder above it, by path. */
            folders: string[];
            /** @description JPEG, PNG, ... */
            format: string | null;
            height: number | null;
            /** Format: uuid */
            id: string;
            /** Format: date-time */
            indexed_at: string | null;
            /** @description Its place in the bucket. */
            key: string;
            /** @description The name of its folder. */
            label: string | null;
            /** Format: date-time */
            modified_at: string | null;
            /** @description The last part of its key. */
            name: string;
            /** @description What is missing of the picture, where its file is damaged. */
            note: string | null;
            /** @description WebP, longest side at most 1600. */
            preview_url: string;
            /** @description Why it failed. */
            reason: string | null;
            /** @description Of the file as it was indexed. */
            sha256: string | null;
            /** @enum {string} */
            state: "pending" | "indexed" | "failed";
            /**
             * Format: date-time-local
             * @description When it was taken, by the clock on the wall there. Sorting, `after` and `before` go by it.
             */
            taken_at: string | null;
            /** @description How far that clock was ahead of UTC; null where it is not known. */
            taken_offset: string | null;
            /** @description WebP, longest side 384. */
            thumbnail_url: string;
            /** @description Pixels, orientation applied. */
            width: number | null;
        };
        ImageDetails: {
            /**
             * Format: date-time
             * @description When it first came into the collection; null where that was not noted.
             */
            added_at: string | null;
            bytes: number | null;
            camera: string | null;
            /** @description How many copies it has, of equal bytes or nearly equal, of those that the filters let through; null where not counted. */
            copies: number | null;
            /** @description The file itself. */
            file_url: string;
            /** @description Each folder above it, by path. */
            folders: string[];
            /** @description JPEG, PNG, ... */
            format: string | null;
            height: number | null;
            /** Format: uuid */
            id: string;
            /** Format: date-time */
            indexed_at: string | null;
            /** @description Its place in the bucket. */
            key: string;
            keywords: string[];
            /** @description The name of its folder. */
            label: string | null;
            lens: string | null;
            /** Format: date-time */
            modified_at: string | null;
            /** @description The last part of its key. */
            name: string;
            /** @description What is missing of the picture, where its file is damaged. */
            note: string | null;
            /** @description Where it was taken. */
            place: components["schemas"]["Place"] | null;
            /** @description WebP, longest side at most 1600. */
            preview_url: string;
            /** @description 1 to 5 stars; -1 for a rejected picture; null without a rating. */
            rating: number | null;
            /** @description Why it failed. */
            reason: string | null;
            /** @description Of the file as it was indexed. */
            sha256: string | null;
            /** @enum {string} */
            state: "pending" | "indexed" | "failed";
            /**
             * Format: date-time-local
             * @description When it was taken, by the clock on the wall there. Sorting, `after` and `before` go by it.
             */
            taken_at: string | null;
            /** @description What says when it was taken: exif, xmp, sidecar, takeout, name and so on. */
            taken_from: string | null;
            /** @description How far that clock was ahead of UTC; null where it is not known. */
            taken_offset: string | null;
            /** @description WebP, longest side 384. */
            thumbnail_url: string;
            /** @description What people called it, or wrote below it. */
            title: string | null;
            /** @description Pixels, orientation applied. */
            width: number | null;
        };
        Images: {
            /** @description Gives the next page; null on the last. */
            cursor: string | null;
            images: components["schemas"]["Image"][];
        };
        Ingest: {
            /** @description Why the bucket cannot be reached; null while it can. */
            bucket: components["schemas"]["BucketProblem"] | null;
            /** @description The vector database's nodes; null while that is not known. */
            database: components["schemas"]["Database"] | null;
            /** @description Which disks are full, so that nothing new is indexed; searches go on. Null while none is. */
            disk: string | null;
            failed: number;
            /** @description Missing pictures that stay until they are back or confirmed; mostly null. */
            held: components["schemas"]["Held"] | null;
            /** @description Files that are left out, as `/ingest/left-out` lists them; null while that is not known. */
            ignored: number | null;
            indexed: number;
            /** Format: date-time */
            last_scan_at: string | null;
            /** @description How far a change of the model is; null while there is none. */
            model_change: components["schemas"]["ModelChange"] | null;
            pending: number;
            /** @description Tasks that wait for a worker; null while that is not known. */
            queued: number | null;
            /** @description Whether the bucket is being listed at the moment. */
            scanning: boolean;
            /** @description Which services keep restarting or fail unexpectedly; null while none does. */
            services: string | null;
            /** @description Whether pictures can be added and removed here. */
            writable: boolean;
        };
        LabelCount: {
            count: number;
            label: string;
        };
        LabelSeparation: {
            count: number;
            knn_agreement: number;
            label: string;
        };
        LeftOut: {
            /** @description How many files in all. */
            count: number;
            /** @description The largest first. */
            groups: components["schemas"]["LeftOutGroup"][];
            /**
             * Format: date-time
             * @description When; null while that is not known.
             */
            scanned_at: string | null;
        };
        LeftOutGroup: {
            /** @description Whether there may be more: large folders are not counted to their end. */
            at_least: boolean;
            count: number;
            /** @description Some of their keys. */
            examples: string[];
            /**
             * @description Why: `hidden`, a name that begins with a dot; `folder`, one that programs and storage systems make; `pattern`, one of BUCKET_EXCLUDE or of the defaults; `no_media`, a folder with a file .nomedia; `not_included`, no pattern of BUCKET_INCLUDE; `extension`, that of something else; `no_extension`, and bytes that are not an image's; `unreadable`; `other`.
             * @enum {string}
             */
            kind: "hidden" | "folder" | "pattern" | "no_media" | "not_included" | "extension" | "no_extension" | "unreadable" | "other";
            /** @description The folder, pattern or extension; empty where the kind says all. */
            name: string;
            /** @description Why, in words. */
            reason: string;
            /** @description How many and which, in words. */
            title: string;
        };
        MapCluster: {
            id: number;
            name: string;
            size: number;
        };
        MapPoints: {
            /** @description Id of a cluster; -1 while there are none. */
            cluster: number[] | null;
            /** @description Images' ids; of uploads, names. */
            ids: string[] | null;
            /** @description Index of `labels`; -1 for none. */
            label: number[] | null;
            /** @description Placed into the map after it was made. */
            new: boolean[] | null;
            /** @description From -1 to 1. */
            x: number[] | null;
            /** @description From -1 to 1, upwards. */
            y: number[] | null;
        };
        MapProgress: {
            iteration: number;
            iterations: number;
            /** @description What t-SNE makes smaller; null before the first figure. */
            kl_divergence: number | null;
            /** @enum {string} */
            step: "vectors" | "affinities" | "optimizing" | "separating";
        };
        MapState: {
            clusters: components["schemas"]["MapCluster"][];
            /** @description Points. */
            count: number;
            /** Format: date-time */
            created_at: string;
            /** Format: date-time */
            finished_at: string | null;
            id: string;
            labels: string[];
            model: components["schemas"]["ModelRef"];
            /** @description Null where they were not asked for, have not changed `since`, or there are none yet. */
            points: components["schemas"]["MapPoints"] | null;
            progress: components["schemas"]["MapProgress"] | null;
            /** @description Why it failed, fit to show to a person. */
            reason: string | null;
            /** @description Of an upload: files that could not be used; empty in a list of maps. */
            refused: components["schemas"]["Refused"][];
            request: components["schemas"]["AskedMap"];
            /** @description Null with fewer than 2 labels of 2 pictures. */
            separation: components["schemas"]["Separation"] | null;
            /** @description Pictures came or went since: ask for it again, and old points will stay in place. */
            stale: boolean;
            /** @enum {string} */
            state: "queued" | "running" | "done" | "failed" | "cancelled";
            /** @description The address of a point's thumbnail, with {id} or {index} in it. */
            thumbnails: string;
            /** @description Pictures that matched before the sample was taken. */
            total: number;
            /** @description Grows with every change. */
            version: number;
        };
        Maps: {
            maps: components["schemas"]["MapState"][];
        };
        Model: {
            /** @description Tokens of a text. */
            context_length: number | null;
            device: string | null;
            dimensions: number;
            fingerprint: string;
            id: string;
            runtime: string | null;
            /** @description Whether an encoder serves it at the moment. */
            serving: boolean;
        };
        ModelChange: {
            failed: number;
            indexed: number;
            /** @description The new model. */
            model: string;
            pending: number;
        };
        ModelRef: {
            fingerprint: string;
            id: string;
        };
        Models: {
            /** @description Null while nothing has been indexed. */
            collection: components["schemas"]["CollectionRef"] | null;
            models: components["schemas"]["Model"][];
        };
        NamedImages: {
            /** @description At most 12: those whose file's name has the words first, then the newest first. */
            results: components["schemas"]["Image"][];
            /** @description How many there are, copies among them. */
            total: number;
        };
        Place: {
            latitude: number;
            longitude: number;
        };
        Present: {
            /** Format: uuid */
            id: string;
            /** @description Of the picture with these bytes. */
            key: string;
            /** @description As it was sent. */
            name: string;
        };
        Problem: {
            /** @description What was wrong and what to do, fit to show to a person. */
            detail: string;
            /** @description Where a request is not valid. */
            errors?: components["schemas"]["FieldError"][];
            /** @description The path that was asked for. */
            instance?: string;
            /** @description False, from /readyz. */
            ready?: boolean;
            /** @description Where no file of an upload was added. */
            refused?: components["schemas"]["Refused"][];
            /** @description As in the X-Request-ID header and the log. */
            request_id?: string;
            status: number;
            title: string;
            /** @description `urn:sightline:problem:KIND`, or `about:blank` where the status says it all. */
            type: string;
        };
        Query: {
            /** @description The words, or phrases, that were left out. */
            excluded: string[];
            /** @description Those of the text; the call's other parameters are not among them. */
            filters: components["schemas"]["QueryFilter"][];
            /**
             * Format: uuid
             * @description Of `/similar`, or of a query by one picture of the collection.
             */
            image_id: string | null;
            limit: number;
            offset: number;
            /** @description The words that were looked for. */
            text: string | null;
        };
        QueryFilter: {
            /** @description Whether what it finds is left out. */
            excluded: boolean;
            /** @description Such as `folder`. */
            field: string;
            /** @description As it was written, without quotes. */
            value: string;
        };
        QueryPart: {
            /** @description The rectangle of the picture that counts. */
            crop?: components["schemas"]["CropRectangle"];
            /** @description The name of the part of the form that has a picture file. */
            file?: string;
            /**
             * Format: uuid
             * @description A picture of the collection. It is not among the results.
             */
            id?: string;
            /** @description Whether it is not wanted: what looks like it goes down, wherever else it is. false where it is not given. */
            not?: boolean;
            /** @description What is to be seen. */
            text?: string;
            /** @description How much it counts; below zero means away from it. 1.0 where it is not given. */
            weight?: number;
        };
        Queued: {
            queued: boolean;
            /** @description How many failed pictures are pending again. */
            retried: number;
        };
        Ready: {
            /** @description What is wrong with the bucket, though searches are answered. */
            bucket: string | null;
            collection: string;
            /** @description What is wrong with the vector database's nodes, though searches are answered. */
            database: string | null;
            /** @description Which disks are full, so that nothing is indexed, though searches are answered. */
            disk: string | null;
            ready: boolean;
            /** @description Which services keep restarting or fail, though searches are answered. */
            services: string | null;
        };
        Refused: {
            /** @description As it was sent. */
            name: string;
            reason: string;
        };
        Relevance: {
            /** @description False where no result is even possibly what was asked for. */
            found: boolean;
            /** @description How many of the first results were judged; where all of them are likely, more may be. */
            judged: number;
            /** @description How many of the first `judged` results are likely: they come first. Null where that is not known. */
            likely: number | null;
            /** @description What to tell a person where nothing was found, or nothing likely. */
            message: string | null;
            /** @description How many of the results in this answer are likely; all, where that is not known. */
            relevant: number;
            /** @description The lowest cosine of a likely result in this answer; null where none is, or it is not known. */
            threshold: number | null;
        };
        Rescan: {
            /** @description Look at this folder, and what is below it. */
            folder?: string;
            /** @description Pictures that failed, to be tried again at once; others are left alone. */
            ids?: string[];
            /** @description Look at these alone. */
            keys?: string[];
            /** @description Read what is unchanged by its size and times, too, and compare its bytes: some programs put times back. Only what has other bytes is indexed again; the rest stays as it is, and can be found meanwhile. Up to 512 keys are read soon; the others after everything else that waits. false where it is not given. */
            verify?: boolean;
        };
        SearchForm: {
            /** @description When the picture first came into the collection: at this moment or later. */
            added_after?: string;
            /** @description When the picture first came into the collection: before this moment. */
            added_before?: string;
            /** @description Taken (or, where that is not known, modified) at this moment or later. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC. */
            after?: string;
            /** @description Taken (or, where that is not known, modified) before this moment. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC. */
            before?: string;
            /** @description Taken within a box: south, west, north, east, in degrees; it may cross the date line. */
            box?: string;
            /** @description Words of the camera's name: `nikon` for `NIKON D70`. */
            camera?: string[];
            /** @description Whether the first 50 results come with a graph, and the likely ones in clusters. true where it is not given. */
            clusters?: boolean;
            /** @description Whether copies of a picture, equal or nearly equal, are shown once, with the number of their `copies`. true where it is not given. */
            distinct?: boolean;
            /** @description How much the first 100 results look different from those before them: 0 leaves the best first, 1 counts nothing but the difference; 0.3 shows more kinds and loses little of what is right. 0.0 where it is not given. */
            diversity?: number;
            /**
             * Format: binary
             * @description A picture.
             */
            file?: string;
            /** @description How much the picture counts; below zero means away from it. 1.0 where it is not given. */
            file_weight?: number;
            /** @description A folder's path; `a/b/` is `a/b`. What lies in folders below it counts too. Repeat it for several. */
            folder?: string[];
            /** @description A format. Its usual endings, such as `jpg`, are taken too. */
            format?: ("JPEG" | "PNG" | "WebP" | "GIF" | "BMP" | "TIFF" | "HEIC" | "AVIF" | "JPEG XL" | "JPEG 2000" | "PSD" | "camera raw")[];
            /** @description A picture of the collection; repeat it for several. They are not among the results. */
            id?: string[];
            /** @description How much each picture of the collection counts; below zero means away from it. 1.0 where it is not given. */
            id_weight?: number;
            /** @description The name of the folder that the picture lies in; repeat it for several. */
            label?: string[];
            /** @description Words of the lens's name. */
            lens?: string[];
            /** @description How many results at most. 50 where it is not given. */
            limit?: number;
            /** @description The file's size is at most this. */
            max_bytes?: number;
            /** @description Width times height is at most this. */
            max_pixels?: number;
            /** @description The file's size is at least this. */
            min_bytes?: number;
            /** @description Width times height is at least this. */
            min_pixels?: number;
            /** @description Words, each of which begins a word of the file's name: `IMG_12` for `IMG_1234.jpg`. */
            name?: string[];
            /** @description Taken within a circle: latitude, longitude, kilometres. */
            near?: string;
            /** @description As `camera`, left out. */
            not_camera?: string[];
            /** @description A folder that is left out, and what is below it. */
            not_folder?: string[];
            /** @description As `format`, left out. */
            not_format?: ("JPEG" | "PNG" | "WebP" | "GIF" | "BMP" | "TIFF" | "HEIC" | "AVIF" | "JPEG XL" | "JPEG 2000" | "PSD" | "camera raw")[];
            /** @description A label that is left out; repeat it for several, as the others. */
            not_label?: string[];
            /** @description As `lens`, left out. */
            not_lens?: string[];
            /** @description As `name`, left out. */
            not_name?: string[];
            /** @description As `shape`, left out. */
            not_shape?: ("landscape" | "portrait" | "square" | "panorama")[];
            /** @description As `words`, left out. */
            not_words?: string[];
            /** @description How many of the best to leave out. Pages are cuts of one list, by similarity, then id, but for a text's first hundred where the model knows a better order. With `limit`, no more than QDRANT_MAX_DEPTH, which is 1000 unless it is set (`too-deep`). 0 where it is not given. */
            offset?: number;
            /** @description What to look for. */
            q?: string;
            /** @description How much the text counts; below zero means away from it. 1.0 where it is not given. */
            q_weight?: number;
            /** @description Any query, as JSON, in place of all other fields; files are parts of the form, of the names that it gives them. */
            query?: components["schemas"]["ComposedQuery"];
            /** @description At least so many stars, of five. */
            rating?: number;
            /** @description A panorama is at least twice as long as wide; a square's sides differ by 5 % at most. */
            shape?: ("landscape" | "portrait" | "square" | "panorama")[];
            /**
             * @description `best`: the best first. `date`: of the first 500 the likely ones alone, the newest first, by when they were taken, or else modified; `limit` and `offset` then count among these. Not for a query of several kinds, and `not-ready` until the collection is calibrated, seconds after the first start. "best" where it is not given.
             * @enum {string}
             */
            sort?: "best" | "date";
            /**
             * @description `language`: words, words to leave out and filters. `plain`: all of `q` is words, whatever is in it. "plain" where it is not given.
             * @enum {string}
             */
            syntax?: "language" | "plain";
            /** @description Words, each of which is in the file's name, its folders, its title or its keywords. */
            words?: string[];
        };
        SearchResults: {
            /** @description The one with the best result first; empty with `clusters=false`. */
            clusters: components["schemas"]["Cluster"][];
            /** @description From the query to each of the first 50 pictures, and among these. */
            edges: components["schemas"]["Edge"][];
            /** @description Null while nothing has been indexed. */
            model: components["schemas"]["ModelRef"] | null;
            /** @description Null but on the first page of a search by text alone. */
            named: components["schemas"]["NamedImages"] | null;
            query: components["schemas"]["Query"];
            /** @description Null where the query has no text, and it cannot be told. */
            relevance: components["schemas"]["Relevance"] | null;
            results: components["schemas"]["Hit"][];
            timings: components["schemas"]["Timings"];
        };
        Separation: {
            /** @description The pairs most confused, the worst first. */
            confused: components["schemas"]["Confusion"][];
            /** @description The share of the 10 nearest neighbours that have the same label, on average. */
            knn_agreement: number;
            per_label: components["schemas"]["LabelSeparation"][];
            /** @description From -1 to 1: above 0, labels are apart. */
            silhouette: number;
        };
        Session: {
            /** @description Whether uploads, deletes, maps, rescans and retries are; the bucket may be read-only still. */
            change: boolean;
            /** @description How long `remember` lasts. */
            days: number;
            /** @description Whether there are keys to sign in with. */
            keys: boolean;
            /** @description Whether searches, lists, pictures and maps are answered. */
            read: boolean;
            /** @description Whether by a key that was exchanged for the cookie. */
            signed_in: boolean;
            /** @description The user, as a proxy names it (GATEWAY_TRUSTED_USER_HEADER). */
            user: string | null;
        };
        SignIn: {
            /**
             * Format: password
             * @description One of GATEWAY_API_KEYS or GATEWAY_READ_KEYS.
             */
            key: string;
            /** @description Stay signed in for `days`, instead of until the browser is closed. false where it is not given. */
            remember?: boolean;
        };
        Stats: {
            images: components["schemas"]["Counts"];
            /** @description The most frequent first. */
            labels: components["schemas"]["LabelCount"][];
        };
        Timings: {
            /** @description Clusters, their names, and the graph. */
            cluster_ms: number;
            encode_ms: number;
            /** @description What the text finds by name, likewise. */
            named_ms: number;
            /** @description The call of the vector database alone. */
            search_ms: number;
            /** @description From the request's arrival to the answer's shape; not its way. */
            total_ms: number;
        };
        Upload: {
            /** @description Whether to add also files whose bytes are in the bucket already. false where it is not given. */
            copies?: boolean;
            /** @description Picture files. */
            files: string[];
            /** @description Where in the bucket, such as `holidays/2024`; made if it is not there. */
            folder?: string;
        };
        Uploaded: {
            accepted: components["schemas"]["Accepted"][];
            present: components["schemas"]["Present"][];
            refused: components["schemas"]["Refused"][];
        };
        UploadedMap: {
            /** @description Picture files; a name `cats/1.jpg` gives the label `cats`. */
            files: string[];
            /** @description How many neighbours count, roughly. Lowered where there are few pictures. 30.0 where it is not given. */
            perplexity?: number;
            /** @description At most so many pictures; a sample, the same every time, where more match. 2000 where it is not given. */
            sample?: number;
        };
        WantedFilters: {
            /** @description When the picture first came into the collection: at this moment or later. */
            added_after?: string;
            /** @description When the picture first came into the collection: before this moment. */
            added_before?: string;
            /** @description Taken (or, where that is not known, modified) at this moment or later. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC. */
            after?: string;
            /** @description Taken (or, where that is not known, modified) before this moment. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC. */
            before?: string;
            /** @description Taken within a box: south, west, north, east, in degrees; it may cross the date line. */
            box?: string;
            /** @description Words of the camera's name: `nikon` for `NIKON D70`. */
            camera?: string[];
            /** @description A folder's path; `a/b/` is `a/b`. What lies in folders below it counts too. Repeat it for several. */
            folder?: string[];
            /** @description A format. Its usual endings, such as `jpg`, are taken too. */
            format?: ("JPEG" | "PNG" | "WebP" | "GIF" | "BMP" | "TIFF" | "HEIC" | "AVIF" | "JPEG XL" | "JPEG 2000" | "PSD" | "camera raw")[];
            /** @description The name of the folder that the picture lies in; repeat it for several. */
            label?: string[];
            /** @description Words of the lens's name. */
            lens?: string[];
            /** @description The file's size is at most this. */
            max_bytes?: number;
            /** @description Width times height is at most this. */
            max_pixels?: number;
            /** @description The file's size is at least this. */
            min_bytes?: number;
            /** @description Width times height is at least this. */
            min_pixels?: number;
            /** @description Words, each of which begins a word of the file's name: `IMG_12` for `IMG_1234.jpg`. */
            name?: string[];
            /** @description Taken within a circle: latitude, longitude, kilometres. */
            near?: string;
            /** @description As `camera`, left out. */
            not_camera?: string[];
            /** @description A folder that is left out, and what is below it. */
            not_folder?: string[];
            /** @description As `format`, left out. */
            not_format?: ("JPEG" | "PNG" | "WebP" | "GIF" | "BMP" | "TIFF" | "HEIC" | "AVIF" | "JPEG XL" | "JPEG 2000" | "PSD" | "camera raw")[];
            /** @description A label that is left out; repeat it for several, as the others. */
            not_label?: string[];
            /** @description As `lens`, left out. */
            not_lens?: string[];
            /** @description As `name`, left out. */
            not_name?: string[];
            /** @description As `shape`, left out. */
            not_shape?: ("landscape" | "portrait" | "square" | "panorama")[];
            /** @description As `words`, left out. */
            not_words?: string[];
            /** @description At least so many stars, of five. */
            rating?: number;
            /** @description A panorama is at least twice as long as wide; a square's sides differ by 5 % at most. */
            shape?: ("landscape" | "portrait" | "square" | "panorama")[];
            /** @description Words, each of which is in the file's name, its folders, its title or its keywords. */
            words?: string[];
        };
        WantedMap: {
            /** @description Taken (or, where that is not known, modified) at this moment or later. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC. */
            after?: string | null;
            /** @description Taken (or, where that is not known, modified) before this moment. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC. */
            before?: string | null;
            /** @description Any filters by the names that they have elsewhere; all must hold, and those above too. */
            filters?: components["schemas"]["WantedFilters"];
            /** @description Folders' paths; what lies below counts too; any of them. */
            folders?: string[];
            /** @description Exactly these pictures, instead of a filter. */
            ids?: string[];
            /** @description The names of the folders that the pictures lie in; any of them. */
            labels?: string[];
            /** @description At most so many of each label; 0 for no such bound. 0 where it is not given. */
            per_label?: number;
            /** @description How many neighbours count, roughly. Lowered where there are few pictures. 30.0 where it is not given. */
            perplexity?: number;
            /** @description At most so many pictures; a sample, the same every time, where more match. 2000 where it is not given. */
            sample?: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    browseDuplicates: {
        parameters: {
            query?: {
                /**
                 * @description The name of the folder that the picture lies in; repeat it for several.
                 * @example [
                 *       "cats"
                 *     ]
                 */
                label?: string[];
                /**
                 * @description A folder's path; `a/b/` is `a/b`. What lies in folders below it counts too. Repeat it for several.
                 * @example [
                 *       "animals/cats"
                 *     ]
                 */
                folder?: string[];
                /**
                 * @description Words, each of which begins a word of the file's name: `IMG_12` for `IMG_1234.jpg`.
                 * @example [
                 *       "IMG_12"
                 *     ]
                 */
                name?: string[];
                /**
                 * @description Words, each of which is in the file's name, its folders, its title or its keywords.
                 * @example [
                 *       "holiday"
                 *     ]
                 */
                words?: string[];
                /**
                 * @description Words of the camera's name: `nikon` for `NIKON D70`.
                 * @example [
                 *       "canon"
                 *     ]
                 */
                camera?: string[];
                /**
                 * @description Words of the lens's name.
                 * @example [
                 *       "50mm"
                 *     ]
                 */
                lens?: string[];
                /**
                 * @description A format. Its usual endings, such as `jpg`, are taken too.
                 * @example [
                 *       "JPEG"
                 *     ]
                 */
                format?: ("JPEG" | "PNG" | "WebP" | "GIF" | "BMP" | "TIFF" | "HEIC" | "AVIF" | "JPEG XL" | "JPEG 2000" | "PSD" | "camera raw")[];
                /**
                 * @description A panorama is at least twice as long as wide; a square's sides differ by 5 % at most.
                 * @example [
                 *       "landscape"
                 *     ]
                 */
                shape?: ("landscape" | "portrait" | "square" | "panorama")[];
                /**
                 * @description Taken (or, where that is not known, modified) at this moment or later. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC.
                 * @example 2024-05-01
                 */
                after?: string;
                /**
                 * @description Taken (or, where that is not known, modified) before this moment. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC.
                 * @example 2024-06-01
                 */
                before?: string;
                /**
                 * @description When the picture first came into the collection: at this moment or later.
                 * @example 2024-01-01
                 */
                added_after?: string;
                /**
                 * @description When the picture first came into the collection: before this moment.
                 * @example 2025-01-01
                 */
                added_before?: string;
                /**
                 * @description Taken within a circle: latitude, longitude, kilometres.
                 * @example 48.2,16.4,10km
                 */
                near?: string;
                /**
                 * @description Taken within a box: south, west, north, east, in degrees; it may cross the date line.
                 * @example 46.4,9.5,49.0,17.2
                 */
                box?: string;
                /**
                 * @description The file's size is at least this.
                 * @example 500000
                 */
                min_bytes?: number;
                /**
                 * @description The file's size is at most this.
                 * @example 50000000
                 */
                max_bytes?: number;
                /**
                 * @description Width times height is at least this.
                 * @example 2000000
                 */
                min_pixels?: number;
                /**
                 * @description Width times height is at most this.
                 * @example 200000000
                 */
                max_pixels?: number;
                /**
                 * @description At least so many stars, of five.
                 * @example 4
                 */
                rating?: number;
                /**
                 * @description A label that is left out; repeat it for several, as the others.
                 * @example [
                 *       "dogs"
                 *     ]
                 */
                not_label?: string[];
                /**
                 * @description A folder that is left out, and what is below it.
                 * @example [
                 *       "animals/dogs"
                 *     ]
                 */
                not_folder?: string[];
                /**
                 * @description As `name`, left out.
                 * @example [
                 *       "copy"
                 *     ]
                 */
                not_name?: string[];
                /**
                 * @description As `words`, left out.
                 * @example [
                 *       "draft"
                 *     ]
                 */
                not_words?: string[];
                /**
                 * @description As `camera`, left out.
                 * @example [
                 *       "scanner"
                 *     ]
                 */
                not_camera?: string[];
                /**
                 * @description As `lens`, left out.
                 * @example [
                 *       "fisheye"
                 *     ]
                 */
                not_lens?: string[];
                /**
                 * @description As `format`, left out.
                 * @example [
                 *       "GIF"
                 *     ]
                 */
                not_format?: ("JPEG" | "PNG" | "WebP" | "GIF" | "BMP" | "TIFF" | "HEIC" | "AVIF" | "JPEG XL" | "JPEG 2000" | "PSD" | "camera raw")[];
                /**
                 * @description As `shape`, left out.
                 * @example [
                 *       "panorama"
                 *     ]
                 */
                not_shape?: ("landscape" | "portrait" | "square" | "panorama")[];
                /**
                 * @description `equal`: of the same bytes or pixels. `near`: with copies that were resized, compressed again, cropped, turned, tinted or written on. `burst`: exposures of one camera, seconds apart. Copies of either kind where it is not given.
                 * @example near
                 */
                kind?: "equal" | "near" | "burst";
                /**
                 * @description A page may be shorter, though another follows; the last one has no `cursor`.
                 * @example 20
                 */
                limit?: number;
                /** @description The `cursor` of the page before. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of groups. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "cursor": "eyJ0IjoxNzE3MTc4NDAwfQ",
                     *       "groups": [
                     *         {
                     *           "best_id": "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10",
                     *           "bytes": 2595420,
                     *           "count": 2,
                     *           "images": [
                     *             {
                     *               "bytes": 2483120,
                     *               "camera": "Canon EOS R6",
                     *               "copies": null,
                     *               "file_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/file?v=9f86d081884c7d65",
                     *               "folders": [
                     *                 "animals",
                     *                 "animals/cats"
                     *               ],
                     *               "format": "JPEG",
                     *               "height": 3024,
                     *               "id": "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10",
                     *               "indexed_at": "2024-06-01T08:30:04Z",
                     *               "key": "animals/cats/tom.jpg",
                     *               "label": "cats",
                     *               "modified_at": "2024-06-01T08:30:00Z",
                     *               "name": "tom.jpg",
                     *               "note": null,
                     *               "preview_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/preview?v=9f86d081884c7d65",
                     *               "reason": null,
                     *               "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                     *               "state": "indexed",
                     *               "taken_at": "2024-05-31T18:00:00",
                     *               "taken_offset": "+02:00",
                     *               "thumbnail_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/thumbnail?v=9f86d081884c7d65",
                     *               "width": 4032
                     *             },
                     *             {
                     *               "bytes": 112300,
                     *               "camera": "Canon EOS R6",
                     *               "copies": null,
                     *               "file_url": "/api/v1/images/a1b2c3d4-0001-5000-8000-00000000cafe/file?v=60303ae22b998861",
                     *               "folders": [
                     *                 "sent"
                     *               ],
                     *               "format": "JPEG",
                     *               "height": 768,
                     *               "id": "a1b2c3d4-0001-5000-8000-00000000cafe",
                     *               "indexed_at": "2024-06-01T08:30:04Z",
                     *               "key": "sent/tom-small.jpg",
                     *               "label": "sent",
                     *               "modified_at": "2024-06-01T08:30:00Z",
                     *               "name": "tom-small.jpg",
                     *               "note": null,
                     *               "preview_url": "/api/v1/images/a1b2c3d4-0001-5000-8000-00000000cafe/preview?v=60303ae22b998861",
                     *               "reason": null,
                     *               "sha256": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                     *               "state": "indexed",
                     *               "taken_at": "2024-05-31T18:00:00",
                     *               "taken_offset": "+02:00",
                     *               "thumbnail_url": "/api/v1/images/a1b2c3d4-0001-5000-8000-00000000cafe/thumbnail?v=60303ae22b998861",
                     *               "width": 1024
                     *             }
                     *           ],
                     *           "kind": "near",
                     *           "saved_bytes": 112300
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["DuplicateGroups"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getFacets: {
        parameters: {
            query?: {
                /**
                 * @description The name of the folder that the picture lies in; repeat it for several.
                 * @example [
                 *       "cats"
                 *     ]
                 */
                label?: string[];
                /**
                 * @description A folder's path; `a/b/` is `a/b`. What lies in folders below it counts too. Repeat it for several.
                 * @example [
                 *       "animals/cats"
                 *     ]
                 */
                folder?: string[];
                /**
                 * @description Words, each of which begins a word of the file's name: `IMG_12` for `IMG_1234.jpg`.
                 * @example [
                 *       "IMG_12"
                 *     ]
                 */
                name?: string[];
                /**
                 * @description Words, each of which is in the file's name, its folders, its title or its keywords.
                 * @example [
                 *       "holiday"
                 *     ]
                 */
                words?: string[];
                /**
                 * @description Words of the camera's name: `nikon` for `NIKON D70`.
                 * @example [
                 *       "canon"
                 *     ]
                 */
                camera?: string[];
                /**
                 * @description Words of the lens's name.
                 * @example [
                 *       "50mm"
                 *     ]
                 */
                lens?: string[];
                /**
                 * @description A format. Its usual endings, such as `jpg`, are taken too.
                 * @example [
                 *       "JPEG"
                 *     ]
                 */
                format?: ("JPEG" | "PNG" | "WebP" | "GIF" | "BMP" | "TIFF" | "HEIC" | "AVIF" | "JPEG XL" | "JPEG 2000" | "PSD" | "camera raw")[];
                /**
                 * @description A panorama is at least twice as long as wide; a square's sides differ by 5 % at most.
                 * @example [
                 *       "landscape"
                 *     ]
                 */
                shape?: ("landscape" | "portrait" | "square" | "panorama")[];
                /**
                 * @description Taken (or, where that is not known, modified) at this moment or later. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC.
                 * @example 2024-05-01
                 */
                after?: string;
                /**
                 * @description Taken (or, where that is not known, modified) before this moment. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC.
                 * @example 2024-06-01
                 */
                before?: string;
                /**
                 * @description When the picture first came into the collection: at this moment or later.
                 * @example 2024-01-01
                 */
                added_after?: string;
                /**
                 * @description When the picture first came into the collection: before this moment.
                 * @example 2025-01-01
                 */
                added_before?: string;
                /**
                 * @description Taken within a circle: latitude, longitude, kilometres.
                 * @example 48.2,16.4,10km
                 */
                near?: string;
                /**
                 * @description Taken within a box: south, west, north, east, in degrees; it may cross the date line.
                 * @example 46.4,9.5,49.0,17.2
                 */
                box?: string;
                /**
                 * @description The file's size is at least this.
                 * @example 500000
                 */
                min_bytes?: number;
                /**
                 * @description The file's size is at most this.
                 * @example 50000000
                 */
                max_bytes?: number;
                /**
                 * @description Width times height is at least this.
                 * @example 2000000
                 */
                min_pixels?: number;
                /**
                 * @description Width times height is at most this.
                 * @example 200000000
                 */
                max_pixels?: number;
                /**
                 * @description At least so many stars, of five.
                 * @example 4
                 */
                rating?: number;
                /**
                 * @description A label that is left out; repeat it for several, as the others.
                 * @example [
                 *       "dogs"
                 *     ]
                 */
                not_label?: string[];
                /**
                 * @description A folder that is left out, and what is below it.
                 * @example [
                 *       "animals/dogs"
                 *     ]
                 */
                not_folder?: string[];
                /**
                 * @description As `name`, left out.
                 * @example [
                 *       "copy"
                 *     ]
                 */
                not_name?: string[];
                /**
                 * @description As `words`, left out.
                 * @example [
                 *       "draft"
                 *     ]
                 */
                not_words?: string[];
                /**
                 * @description As `camera`, left out.
                 * @example [
                 *       "scanner"
                 *     ]
                 */
                not_camera?: string[];
                /**
                 * @description As `lens`, left out.
                 * @example [
                 *       "fisheye"
                 *     ]
                 */
                not_lens?: string[];
                /**
                 * @description As `format`, left out.
                 * @example [
                 *       "GIF"
                 *     ]
                 */
                not_format?: ("JPEG" | "PNG" | "WebP" | "GIF" | "BMP" | "TIFF" | "HEIC" | "AVIF" | "JPEG XL" | "JPEG 2000" | "PSD" | "camera raw")[];
                /**
                 * @description As `shape`, left out.
                 * @example [
                 *       "panorama"
                 *     ]
                 */
                not_shape?: ("landscape" | "portrait" | "square" | "panorama")[];
                /**
                 * @description What is counted; repeat it for several. All of them where it is not given.
                 * @example [
                 *       "label",
                 *       "camera"
                 *     ]
                 */
                field?: ("label" | "folder" | "format" | "camera" | "lens" | "shape" | "rating" | "year")[];
                /**
                 * @description How many values of each field at most, the most frequent.
                 * @example 20
                 */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The counts. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "facets": [
                     *         {
                     *           "field": "label",
                     *           "values": [
                     *             {
                     *               "count": 40,
                     *               "value": "cats"
                     *             },
                     *             {
                     *               "count": 12,
                     *               "value": "dogs"
                     *             }
                     *           ]
                     *         },
                     *         {
                     *           "field": "camera",
                     *           "values": [
                     *             {
                     *               "count": 31,
                     *               "value": "Canon EOS R6"
                     *             }
                     *           ]
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Facets"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    browseImages: {
        parameters: {
            query?: {
                /**
                 * @description The name of the folder that the picture lies in; repeat it for several.
                 * @example [
                 *       "cats"
                 *     ]
                 */
                label?: string[];
                /**
                 * @description A folder's path; `a/b/` is `a/b`. What lies in folders below it counts too. Repeat it for several.
                 * @example [
                 *       "animals/cats"
                 *     ]
                 */
                folder?: string[];
                /**
                 * @description Words, each of which begins a word of the file's name: `IMG_12` for `IMG_1234.jpg`.
                 * @example [
                 *       "IMG_12"
                 *     ]
                 */
                name?: string[];
                /**
                 * @description Words, each of which is in the file's name, its folders, its title or its keywords.
                 * @example [
                 *       "holiday"
                 *     ]
                 */
                words?: string[];
                /**
                 * @description Words of the camera's name: `nikon` for `NIKON D70`.
                 * @example [
                 *       "canon"
                 *     ]
                 */
                camera?: string[];
                /**
                 * @description Words of the lens's name.
                 * @example [
                 *       "50mm"
                 *     ]
                 */
                lens?: string[];
                /**
                 * @description A format. Its usual endings, such as `jpg`, are taken too.
                 * @example [
                 *       "JPEG"
                 *     ]
                 */
                format?: ("JPEG" | "PNG" | "WebP" | "GIF" | "BMP" | "TIFF" | "HEIC" | "AVIF" | "JPEG XL" | "JPEG 2000" | "PSD" | "camera raw")[];
                /**
                 * @description A panorama is at least twice as long as wide; a square's sides differ by 5 % at most.
                 * @example [
                 *       "landscape"
                 *     ]
                 */
                shape?: ("landscape" | "portrait" | "square" | "panorama")[];
                /**
                 * @description Taken (or, where that is not known, modified) at this moment or later. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC.
                 * @example 2024-05-01
                 */
                after?: string;
                /**
                 * @description Taken (or, where that is not known, modified) before this moment. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC.
                 * @example 2024-06-01
                 */
                before?: string;
                /**
                 * @description When the picture first came into the collection: at this moment or later.
                 * @example 2024-01-01
                 */
                added_after?: string;
                /**
                 * @description When the picture first came into the collection: before this moment.
                 * @example 2025-01-01
                 */
                added_before?: string;
                /**
                 * @description Taken within a circle: latitude, longitude, kilometres.
                 * @example 48.2,16.4,10km
                 */
                near?: string;
                /**
                 * @description Taken within a box: south, west, north, east, in degrees; it may cross the date line.
                 * @example 46.4,9.5,49.0,17.2
                 */
                box?: string;
                /**
                 * @description The file's size is at least this.
                 * @example 500000
                 */
                min_bytes?: number;
                /**
                 * @description The file's size is at most this.
                 * @example 50000000
                 */
                max_bytes?: number;
                /**
                 * @description Width times height is at least this.
                 * @example 2000000
                 */
                min_pixels?: number;
                /**
                 * @description Width times height is at most this.
                 * @example 200000000
                 */
                max_pixels?: number;
                /**
                 * @description At least so many stars, of five.
                 * @example 4
                 */
                rating?: number;
                /**
                 * @description A label that is left out; repeat it for several, as the others.
                 * @example [
                 *       "dogs"
                 *     ]
                 */
                not_label?: string[];
                /**
                 * @description A folder that is left out, and what is below it.
                 * @example [
                 *       "animals/dogs"
                 *     ]
                 */
                not_folder?: string[];
                /**
                 * @description As `name`, left out.
                 * @example [
                 *       "copy"
                 *     ]
                 */
                not_name?: string[];
                /**
                 * @description As `words`, left out.
                 * @example [
                 *       "draft"
                 *     ]
                 */
                not_words?: string[];
                /**
                 * @description As `camera`, left out.
                 * @example [
                 *       "scanner"
                 *     ]
                 */
                not_camera?: string[];
                /**
                 * @description As `lens`, left out.
                 * @example [
                 *       "fisheye"
                 *     ]
                 */
                not_lens?: string[];
                /**
                 * @description As `format`, left out.
                 * @example [
                 *       "GIF"
                 *     ]
                 */
                not_format?: ("JPEG" | "PNG" | "WebP" | "GIF" | "BMP" | "TIFF" | "HEIC" | "AVIF" | "JPEG XL" | "JPEG 2000" | "PSD" | "camera raw")[];
                /**
                 * @description As `shape`, left out.
                 * @example [
                 *       "panorama"
                 *     ]
                 */
                not_shape?: ("landscape" | "portrait" | "square" | "panorama")[];
                /**
                 * @description Repeat it for several; all states where it is not given.
                 * @example [
                 *       "indexed"
                 *     ]
                 */
                state?: ("pending" | "indexed" | "failed")[];
                /**
                 * @description Only this picture and its copies, equal or nearly equal.
                 * @example 3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10
                 */
                copies_of?: string;
                /**
                 * @description Whether copies of a picture, equal or nearly equal, are shown once, the newest, with the number of their `copies`. A page may be shorter than `limit` then; the last one has no `cursor`.
                 * @example true
                 */
                distinct?: boolean;
                /** @example 20 */
                limit?: number;
                /** @description The `cursor` of the page before. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of pictures. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "cursor": "eyJ0IjoxNzE3MTc4NDAwfQ",
                     *       "images": [
                     *         {
                     *           "bytes": 2483120,
                     *           "camera": "Canon EOS R6",
                     *           "copies": 0,
                     *           "file_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/file?v=9f86d081884c7d65",
                     *           "folders": [
                     *             "animals",
                     *             "animals/cats"
                     *           ],
                     *           "format": "JPEG",
                     *           "height": 3024,
                     *           "id": "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10",
                     *           "indexed_at": "2024-06-01T08:30:04Z",
                     *           "key": "animals/cats/tom.jpg",
                     *           "label": "cats",
                     *           "modified_at": "2024-06-01T08:30:00Z",
                     *           "name": "tom.jpg",
                     *           "note": null,
                     *           "preview_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/preview?v=9f86d081884c7d65",
                     *           "reason": null,
                     *           "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                     *           "state": "indexed",
                     *           "taken_at": "2024-05-31T18:00:00",
                     *           "taken_offset": "+02:00",
                     *           "thumbnail_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/thumbnail?v=9f86d081884c7d65",
                     *           "width": 4032
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Images"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such picture (`image-not-found`); The picture cannot be shown (`not-shown`); No such map (`map-not-found`); The documentation page is not installed (`docs-missing`) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    uploadImages: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "files": [
                 *         "(the bytes of a picture file)"
                 *       ],
                 *       "folder": "holidays/2024"
                 *     }
                 */
                "multipart/form-data": components["schemas"]["Upload"];
            };
        };
        responses: {
            /** @description No picture was added: those of the files that are pictures are there already. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accepted": [
                     *         {
                     *           "id": "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10",
                     *           "key": "holidays/2024/tom.jpg",
                     *           "name": "tom.jpg"
                     *         }
                     *       ],
                     *       "present": [
                     *         {
                     *           "id": "a1b2c3d4-0001-5000-8000-00000000cafe",
                     *           "key": "animals/cats/felix.jpg",
                     *           "name": "felix.jpg"
                     *         }
                     *       ],
                     *       "refused": [
                     *         {
                     *           "name": "notes.txt",
                     *           "reason": "not an image"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Uploaded"];
                };
            };
            /** @description At least one picture was added. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "accepted": [
                     *         {
                     *           "id": "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10",
                     *           "key": "holidays/2024/tom.jpg",
                     *           "name": "tom.jpg"
                     *         }
                     *       ],
                     *       "present": [
                     *         {
                     *           "id": "a1b2c3d4-0001-5000-8000-00000000cafe",
                     *           "key": "animals/cats/felix.jpg",
                     *           "name": "felix.jpg"
                     *         }
                     *       ],
                     *       "refused": [
                     *         {
                     *           "name": "notes.txt",
                     *           "reason": "not an image"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Uploaded"];
                };
            };
            /** @description The request cannot be read (`malformed`) */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Refused: the request comes from another site (`cross-origin`); The bucket is read-only (`read-only-bucket`); Not allowed to change anything (`not-allowed`) */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request did not arrive in time (`too-slow`) */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is too large (`too-large`) */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "detail": "Unsupported Media Type.",
                     *       "status": 415,
                     *       "title": "Unsupported Media Type",
                     *       "type": "about:blank"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getImage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10 */
                image_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The picture's data. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "added_at": "2024-06-01T08:30:04Z",
                     *       "bytes": 2483120,
                     *       "camera": "Canon EOS R6",
                     *       "copies": 0,
                     *       "file_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/file?v=9f86d081884c7d65",
                     *       "folders": [
                     *         "animals",
                     *         "animals/cats"
                     *       ],
                     *       "format": "JPEG",
                     *       "height": 3024,
                     *       "id": "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10",
                     *       "indexed_at": "2024-06-01T08:30:04Z",
                     *       "key": "animals/cats/tom.jpg",
                     *       "keywords": [
                     *         "tom",
                     *         "window"
                     *       ],
                     *       "label": "cats",
                     *       "lens": "RF 50mm F1.8 STM",
                     *       "modified_at": "2024-06-01T08:30:00Z",
                     *       "name": "tom.jpg",
                     *       "note": null,
                     *       "place": {
                     *         "latitude": 48.2082,
                     *         "longitude": 16.3738
                     *       },
                     *       "preview_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/preview?v=9f86d081884c7d65",
                     *       "rating": 4,
                     *       "reason": null,
                     *       "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                     *       "state": "indexed",
                     *       "taken_at": "2024-05-31T18:00:00",
                     *       "taken_from": "exif",
                     *       "taken_offset": "+02:00",
                     *       "thumbnail_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/thumbnail?v=9f86d081884c7d65",
                     *       "title": "Tom at the window",
                     *       "width": 4032
                     *     }
                     */
                    "application/json": components["schemas"]["ImageDetails"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such picture (`image-not-found`); The picture cannot be shown (`not-shown`); No such map (`map-not-found`); The documentation page is not installed (`docs-missing`) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteImage: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example 3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10 */
                image_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is gone from the bucket and from searches. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Refused: the request comes from another site (`cross-origin`); The bucket is read-only (`read-only-bucket`); Not allowed to change anything (`not-allowed`) */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such picture (`image-not-found`); The picture cannot be shown (`not-shown`); No such map (`map-not-found`); The documentation page is not installed (`docs-missing`) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getImageFile: {
        parameters: {
            query?: {
                /**
                 * @description As in the addresses that results give: lets caches keep the answer for ever.
                 * @example 9f86d081884c7d65
                 */
                v?: string;
            };
            header?: {
                /**
                 * @description Part of the file: one range of bytes. To anything else the whole file is the answer.
                 * @example bytes=0-1023
                 */
                Range?: string;
            };
            path: {
                /** @example 3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10 */
                image_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The file. */
            200: {
                headers: {
                    "Cache-Control"?: string;
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                    "image/avif": string;
                    "image/bmp": string;
                    "image/gif": string;
                    "image/heic": string;
                    "image/jp2": string;
                    "image/jpeg": string;
                    "image/jxl": string;
                    "image/png": string;
                    "image/tiff": string;
                    "image/vnd.adobe.photoshop": string;
                    "image/webp": string;
                    "image/x-raw": string;
                };
            };
            /** @description The part that Range names. */
            206: {
                headers: {
                    "Accept-Ranges"?: string;
                    "Content-Range"?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                    "image/avif": string;
                    "image/bmp": string;
                    "image/gif": string;
                    "image/heic": string;
                    "image/jp2": string;
                    "image/jpeg": string;
                    "image/jxl": string;
                    "image/png": string;
                    "image/tiff": string;
                    "image/vnd.adobe.photoshop": string;
                    "image/webp": string;
                    "image/x-raw": string;
                };
            };
            /** @description As If-None-Match has it. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such picture (`image-not-found`); The picture cannot be shown (`not-shown`); No such map (`map-not-found`); The documentation page is not installed (`docs-missing`) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Precondition Failed */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "detail": "Precondition Failed.",
                     *       "status": 412,
                     *       "title": "Precondition Failed",
                     *       "type": "about:blank"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Requested Range Not Satisfiable */
            416: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "detail": "Requested Range Not Satisfiable.",
                     *       "status": 416,
                     *       "title": "Requested Range Not Satisfiable",
                     *       "type": "about:blank"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getImagePreview: {
        parameters: {
            query?: {
                /**
                 * @description As in the addresses that results give: lets caches keep the answer for ever.
                 * @example 9f86d081884c7d65
                 */
                v?: string;
            };
            header?: never;
            path: {
                /** @example 3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10 */
                image_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The picture, longest side at most 1600. `application/octet-stream` is here for generated clients, many of which read bytes of no other type. */
            200: {
                headers: {
                    "Cache-Control"?: string;
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                    "image/webp": string;
                };
            };
            /** @description As If-None-Match has it. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such picture (`image-not-found`); The picture cannot be shown (`not-shown`); No such map (`map-not-found`); The documentation page is not installed (`docs-missing`) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    searchSimilar: {
        parameters: {
            query?: {
                /**
                 * @description The name of the folder that the picture lies in; repeat it for several.
                 * @example [
                 *       "cats"
                 *     ]
                 */
                label?: string[];
                /**
                 * @description A folder's path; `a/b/` is `a/b`. What lies in folders below it counts too. Repeat it for several.
                 * @example [
                 *       "animals/cats"
                 *     ]
                 */
                folder?: string[];
                /**
                 * @description Words, each of which begins a word of the file's name: `IMG_12` for `IMG_1234.jpg`.
                 * @example [
                 *       "IMG_12"
                 *     ]
                 */
                name?: string[];
                /**
                 * @description Words, each of which is in the file's name, its folders, its title or its keywords.
                 * @example [
                 *       "holiday"
                 *     ]
                 */
                words?: string[];
                /**
                 * @description Words of the camera's name: `nikon` for `NIKON D70`.
                 * @example [
                 *       "canon"
                 *     ]
                 */
                camera?: string[];
                /**
                 * @description Words of the lens's name.
                 * @example [
                 *       "50mm"
                 *     ]
                 */
                lens?: string[];
                /**
                 * @description A format. Its usual endings, such as `jpg`, are taken too.
                 * @example [
                 *       "JPEG"
                 *     ]
                 */
                format?: ("JPEG" | "PNG" | "WebP" | "GIF" | "BMP" | "TIFF" | "HEIC" | "AVIF" | "JPEG XL" | "JPEG 2000" | "PSD" | "camera raw")[];
                /**
                 * @description A panorama is at least twice as long as wide; a square's sides differ by 5 % at most.
                 * @example [
                 *       "landscape"
                 *     ]
                 */
                shape?: ("landscape" | "portrait" | "square" | "panorama")[];
                /**
                 * @description Taken (or, where that is not known, modified) at this moment or later. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC.
                 * @example 2024-05-01
                 */
                after?: string;
                /**
                 * @description Taken (or, where that is not known, modified) before this moment. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC.
                 * @example 2024-06-01
                 */
                before?: string;
                /**
                 * @description When the picture first came into the collection: at this moment or later.
                 * @example 2024-01-01
                 */
                added_after?: string;
                /**
                 * @description When the picture first came into the collection: before this moment.
                 * @example 2025-01-01
                 */
                added_before?: string;
                /**
                 * @description Taken within a circle: latitude, longitude, kilometres.
                 * @example 48.2,16.4,10km
                 */
                near?: string;
                /**
                 * @description Taken within a box: south, west, north, east, in degrees; it may cross the date line.
                 * @example 46.4,9.5,49.0,17.2
                 */
                box?: string;
                /**
                 * @description The file's size is at least this.
                 * @example 500000
                 */
                min_bytes?: number;
                /**
                 * @description The file's size is at most this.
                 * @example 50000000
                 */
                max_bytes?: number;
                /**
                 * @description Width times height is at least this.
                 * @example 2000000
                 */
                min_pixels?: number;
                /**
                 * @description Width times height is at most this.
                 * @example 200000000
                 */
                max_pixels?: number;
                /**
                 * @description At least so many stars, of five.
                 * @example 4
                 */
                rating?: number;
                /**
                 * @description A label that is left out; repeat it for several, as the others.
                 * @example [
                 *       "dogs"
                 *     ]
                 */
                not_label?: string[];
                /**
                 * @description A folder that is left out, and what is below it.
                 * @example [
                 *       "animals/dogs"
                 *     ]
                 */
                not_folder?: string[];
                /**
                 * @description As `name`, left out.
                 * @example [
                 *       "copy"
                 *     ]
                 */
                not_name?: string[];
                /**
                 * @description As `words`, left out.
                 * @example [
                 *       "draft"
                 *     ]
                 */
                not_words?: string[];
                /**
                 * @description As `camera`, left out.
                 * @example [
                 *       "scanner"
                 *     ]
                 */
                not_camera?: string[];
                /**
                 * @description As `lens`, left out.
                 * @example [
                 *       "fisheye"
                 *     ]
                 */
                not_lens?: string[];
                /**
                 * @description As `format`, left out.
                 * @example [
                 *       "GIF"
                 *     ]
                 */
                not_format?: ("JPEG" | "PNG" | "WebP" | "GIF" | "BMP" | "TIFF" | "HEIC" | "AVIF" | "JPEG XL" | "JPEG 2000" | "PSD" | "camera raw")[];
                /**
                 * @description As `shape`, left out.
                 * @example [
                 *       "panorama"
                 *     ]
                 */
                not_shape?: ("landscape" | "portrait" | "square" | "panorama")[];
                /**
                 * @description How many results at most.
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description How many of the best to leave out. Pages are cuts of one list, by similarity, then id, but for a text's first hundred where the model knows a better order. With `limit`, no more than QDRANT_MAX_DEPTH, which is 1000 unless it is set (`too-deep`).
                 * @example 0
                 */
                offset?: number;
                /**
                 * @description `best`: the best first. `date`: of the first 500 the likely ones alone, the newest first, by when they were taken, or else modified; `limit` and `offset` then count among these. Not for a query of several kinds, and `not-ready` until the collection is calibrated, seconds after the first start.
                 * @example best
                 */
                sort?: "best" | "date";
                /**
                 * @description How much the first 100 results look different from those before them: 0 leaves the best first, 1 counts nothing but the difference; 0.3 shows more kinds and loses little of what is right.
                 * @example 0.3
                 */
                diversity?: number;
                /**
                 * @description Whether copies of a picture, equal or nearly equal, are shown once, with the number of their `copies`.
                 * @example true
                 */
                distinct?: boolean;
                /**
                 * @description Whether the first 50 results come with a graph, and the likely ones in clusters.
                 * @example true
                 */
                clusters?: boolean;
            };
            header?: never;
            path: {
                /** @example 3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10 */
                image_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The most similar pictures, without itself. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "clusters": [
                     *         {
                     *           "best_id": "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10",
                     *           "id": 0,
                     *           "name": "cat",
                     *           "similarity": 0.312,
                     *           "size": 1
                     *         }
                     *       ],
                     *       "edges": [
                     *         {
                     *           "similarity": 0.312,
                     *           "source": "query",
                     *           "target": "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10"
                     *         }
                     *       ],
                     *       "model": {
                     *         "fingerprint": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                     *         "id": "embedded"
                     *       },
                     *       "named": null,
                     *       "query": {
                     *         "excluded": [],
                     *         "filters": [],
                     *         "image_id": "a1b2c3d4-0001-5000-8000-00000000cafe",
                     *         "limit": 20,
                     *         "offset": 0,
                     *         "text": null
                     *       },
                     *       "relevance": {
                     *         "found": true,
                     *         "judged": 57,
                     *         "likely": 1,
                     *         "message": null,
                     *         "relevant": 1,
                     *         "threshold": 0.312
                     *       },
                     *       "results": [
                     *         {
                     *           "bytes": 2483120,
                     *           "camera": "Canon EOS R6",
                     *           "cluster": 0,
                     *           "copies": 0,
                     *           "file_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/file?v=9f86d081884c7d65",
                     *           "folders": [
                     *             "animals",
                     *             "animals/cats"
                     *           ],
                     *           "format": "JPEG",
                     *           "height": 3024,
                     *           "id": "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10",
                     *           "indexed_at": "2024-06-01T08:30:04Z",
                     *           "key": "animals/cats/tom.jpg",
                     *           "label": "cats",
                     *           "modified_at": "2024-06-01T08:30:00Z",
                     *           "name": "tom.jpg",
                     *           "note": null,
                     *           "preview_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/preview?v=9f86d081884c7d65",
                     *           "probability": 0.87,
                     *           "reason": null,
                     *           "relevance": "likely",
                     *           "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                     *           "similarity": 0.312,
                     *           "state": "indexed",
                     *           "taken_at": "2024-05-31T18:00:00",
                     *           "taken_offset": "+02:00",
                     *           "thumbnail_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/thumbnail?v=9f86d081884c7d65",
                     *           "width": 4032
                     *         }
                     *       ],
                     *       "timings": {
                     *         "cluster_ms": 4.2,
                     *         "encode_ms": 3.1,
                     *         "named_ms": 0.7,
                     *         "search_ms": 1.9,
                     *         "total_ms": 10.5
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["SearchResults"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such picture (`image-not-found`); The picture cannot be shown (`not-shown`); No such map (`map-not-found`); The documentation page is not installed (`docs-missing`) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The picture has not been indexed (`no-vector`) */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getImageThumbnail: {
        parameters: {
            query?: {
                /**
                 * @description As in the addresses that results give: lets caches keep the answer for ever.
                 * @example 9f86d081884c7d65
                 */
                v?: string;
            };
            header?: never;
            path: {
                /** @example 3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10 */
                image_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The picture as WebP. `application/octet-stream` is here for generated clients, many of which read bytes of no other type. */
            200: {
                headers: {
                    "Cache-Control"?: string;
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                    "image/webp": string;
                };
            };
            /** @description As If-None-Match has it. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such picture (`image-not-found`); The picture cannot be shown (`not-shown`); No such map (`map-not-found`); The documentation page is not installed (`docs-missing`) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getIngest: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Counts, and what the watcher does. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "bucket": null,
                     *       "database": null,
                     *       "disk": null,
                     *       "failed": 1,
                     *       "held": {
                     *         "count": 412,
                     *         "examples": [
                     *           "archive/1998/0001.jpg",
                     *           "archive/1998/0002.jpg"
                     *         ],
                     *         "message": "412 of 2,000 pictures are gone at once: is a disk not mounted? They stay in search meanwhile.",
                     *         "of": 2000,
                     *         "since": "2024-06-01T08:59:30Z"
                     *       },
                     *       "ignored": 4,
                     *       "indexed": 538,
                     *       "last_scan_at": "2024-06-01T08:59:30Z",
                     *       "model_change": null,
                     *       "pending": 3,
                     *       "queued": 1,
                     *       "scanning": false,
                     *       "services": null,
                     *       "writable": true
                     *     }
                     */
                    "application/json": components["schemas"]["Ingest"];
                };
            };
            /** @description As If-None-Match has it. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    confirmLoss: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "until": "2024-06-01T09:00:00Z"
                 *     }
                 */
                "application/json": components["schemas"]["ConfirmLoss"];
            };
        };
        responses: {
            /** @description The watcher will take them out of search. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "held": 412,
                     *       "queued": true
                     *     }
                     */
                    "application/json": components["schemas"]["Confirmed"];
                };
            };
            /** @description The request cannot be read (`malformed`) */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Refused: the request comes from another site (`cross-origin`); The bucket is read-only (`read-only-bucket`); Not allowed to change anything (`not-allowed`) */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "detail": "Unsupported Media Type.",
                     *       "status": 415,
                     *       "title": "Unsupported Media Type",
                     *       "type": "about:blank"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getFailures: {
        parameters: {
            query?: {
                /** @example 20 */
                limit?: number;
                /** @description The `cursor` of the page before. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A page of failures. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "cursor": null,
                     *       "failures": [
                     *         {
                     *           "attempts": 1,
                     *           "id": "a1b2c3d4-0001-5000-8000-00000000cafe",
                     *           "key": "animals/broken.jpg",
                     *           "next_try_at": null,
                     *           "reason": "the file is cut off"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Failures"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getLeftOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What is left out, by kind. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "count": 49,
                     *       "groups": [
                     *         {
                     *           "at_least": false,
                     *           "count": 41,
                     *           "examples": [
                     *             "#snapshot/daily/tom.jpg"
                     *           ],
                     *           "kind": "folder",
                     *           "name": "#snapshot",
                     *           "reason": "a folder that programs and storage systems make, not people",
                     *           "title": "41 in #snapshot"
                     *         },
                     *         {
                     *           "at_least": false,
                     *           "count": 8,
                     *           "examples": [
                     *             "holidays/2024/sea.mp4"
                     *           ],
                     *           "kind": "extension",
                     *           "name": ".mp4",
                     *           "reason": "video",
                     *           "title": "8 with the extension .mp4"
                     *         }
                     *       ],
                     *       "scanned_at": "2024-06-01T08:59:30Z"
                     *     }
                     */
                    "application/json": components["schemas"]["LeftOut"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    rescan: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "folder": "holidays/2024",
                 *       "verify": true
                 *     }
                 */
                "application/json": components["schemas"]["Rescan"];
            };
        };
        responses: {
            /** @description The watcher will look. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "queued": true,
                     *       "retried": 0
                     *     }
                     */
                    "application/json": components["schemas"]["Queued"];
                };
            };
            /** @description The request cannot be read (`malformed`) */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Refused: the request comes from another site (`cross-origin`); The bucket is read-only (`read-only-bucket`); Not allowed to change anything (`not-allowed`) */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "detail": "Unsupported Media Type.",
                     *       "status": 415,
                     *       "title": "Unsupported Media Type",
                     *       "type": "about:blank"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getMaps: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description All maps, without their points and `refused`. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "maps": [
                     *         {
                     *           "clusters": [
                     *             {
                     *               "id": 0,
                     *               "name": "cat",
                     *               "size": 1
                     *             },
                     *             {
                     *               "id": 1,
                     *               "name": "dog",
                     *               "size": 1
                     *             }
                     *           ],
                     *           "count": 2,
                     *           "created_at": "2024-06-01T09:00:00Z",
                     *           "finished_at": "2024-06-01T09:00:09Z",
                     *           "id": "m-0123456789abcdef0123",
                     *           "labels": [
                     *             "cats",
                     *             "dogs"
                     *           ],
                     *           "model": {
                     *             "fingerprint": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                     *             "id": "embedded"
                     *           },
                     *           "points": null,
                     *           "progress": null,
                     *           "reason": null,
                     *           "refused": [],
                     *           "request": {
                     *             "after": null,
                     *             "before": null,
                     *             "filters": {
                     *               "not_camera": [
                     *                 "scanner"
                     *               ]
                     *             },
                     *             "folders": [],
                     *             "ids": 0,
                     *             "labels": [
                     *               "cats",
                     *               "dogs"
                     *             ],
                     *             "per_label": 0,
                     *             "perplexity": 30,
                     *             "sample": 2000,
                     *             "upload": false
                     *           },
                     *           "separation": null,
                     *           "stale": false,
                     *           "state": "done",
                     *           "thumbnails": "/api/v1/images/{id}/thumbnail",
                     *           "total": 2,
                     *           "version": 1790000009000
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Maps"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    makeMap: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "filters": {
                 *         "not_camera": [
                 *           "scanner"
                 *         ]
                 *       },
                 *       "labels": [
                 *         "cats",
                 *         "dogs"
                 *       ],
                 *       "sample": 2000
                 *     }
                 */
                "application/json": components["schemas"]["WantedMap"];
            };
        };
        responses: {
            /** @description The map is there, or on its way, already. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "clusters": [],
                     *       "count": 0,
                     *       "created_at": "2024-06-01T09:00:00Z",
                     *       "finished_at": null,
                     *       "id": "m-0123456789abcdef0123",
                     *       "labels": [],
                     *       "model": {
                     *         "fingerprint": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                     *         "id": "embedded"
                     *       },
                     *       "points": null,
                     *       "progress": null,
                     *       "reason": null,
                     *       "refused": [],
                     *       "request": {
                     *         "after": null,
                     *         "before": null,
                     *         "filters": {
                     *           "not_camera": [
                     *             "scanner"
                     *           ]
                     *         },
                     *         "folders": [],
                     *         "ids": 0,
                     *         "labels": [
                     *           "cats",
                     *           "dogs"
                     *         ],
                     *         "per_label": 0,
                     *         "perplexity": 30,
                     *         "sample": 2000,
                     *         "upload": false
                     *       },
                     *       "separation": null,
                     *       "stale": false,
                     *       "state": "queued",
                     *       "thumbnails": "/api/v1/images/{id}/thumbnail",
                     *       "total": 0,
                     *       "version": 1790000000000
                     *     }
                     */
                    "application/json": components["schemas"]["MapState"];
                };
            };
            /** @description The map waits for a worker. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "clusters": [],
                     *       "count": 0,
                     *       "created_at": "2024-06-01T09:00:00Z",
                     *       "finished_at": null,
                     *       "id": "m-0123456789abcdef0123",
                     *       "labels": [],
                     *       "model": {
                     *         "fingerprint": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                     *         "id": "embedded"
                     *       },
                     *       "points": null,
                     *       "progress": null,
                     *       "reason": null,
                     *       "refused": [],
                     *       "request": {
                     *         "after": null,
                     *         "before": null,
                     *         "filters": {
                     *           "not_camera": [
                     *             "scanner"
                     *           ]
                     *         },
                     *         "folders": [],
                     *         "ids": 0,
                     *         "labels": [
                     *           "cats",
                     *           "dogs"
                     *         ],
                     *         "per_label": 0,
                     *         "perplexity": 30,
                     *         "sample": 2000,
                     *         "upload": false
                     *       },
                     *       "separation": null,
                     *       "stale": false,
                     *       "state": "queued",
                     *       "thumbnails": "/api/v1/images/{id}/thumbnail",
                     *       "total": 0,
                     *       "version": 1790000000000
                     *     }
                     */
                    "application/json": components["schemas"]["MapState"];
                };
            };
            /** @description The request cannot be read (`malformed`) */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Refused: the request comes from another site (`cross-origin`); The bucket is read-only (`read-only-bucket`); Not allowed to change anything (`not-allowed`) */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is too large (`too-large`) */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "detail": "Unsupported Media Type.",
                     *       "status": 415,
                     *       "title": "Unsupported Media Type",
                     *       "type": "about:blank"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    makeMapOfUploads: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "files": [
                 *         "(the bytes of a picture file)"
                 *       ],
                 *       "perplexity": 30
                 *     }
                 */
                "multipart/form-data": components["schemas"]["UploadedMap"];
            };
        };
        responses: {
            /** @description The map is there, or on its way, already. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "clusters": [],
                     *       "count": 0,
                     *       "created_at": "2024-06-01T09:00:00Z",
                     *       "finished_at": null,
                     *       "id": "m-0123456789abcdef0123",
                     *       "labels": [],
                     *       "model": {
                     *         "fingerprint": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                     *         "id": "embedded"
                     *       },
                     *       "points": null,
                     *       "progress": null,
                     *       "reason": null,
                     *       "refused": [],
                     *       "request": {
                     *         "after": null,
                     *         "before": null,
                     *         "filters": {
                     *           "not_camera": [
                     *             "scanner"
                     *           ]
                     *         },
                     *         "folders": [],
                     *         "ids": 0,
                     *         "labels": [
                     *           "cats",
                     *           "dogs"
                     *         ],
                     *         "per_label": 0,
                     *         "perplexity": 30,
                     *         "sample": 2000,
                     *         "upload": true
                     *       },
                     *       "separation": null,
                     *       "stale": false,
                     *       "state": "queued",
                     *       "thumbnails": "/api/v1/images/{id}/thumbnail",
                     *       "total": 0,
                     *       "version": 1790000000000
                     *     }
                     */
                    "application/json": components["schemas"]["MapState"];
                };
            };
            /** @description The map waits for a worker. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "clusters": [],
                     *       "count": 0,
                     *       "created_at": "2024-06-01T09:00:00Z",
                     *       "finished_at": null,
                     *       "id": "m-0123456789abcdef0123",
                     *       "labels": [],
                     *       "model": {
                     *         "fingerprint": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                     *         "id": "embedded"
                     *       },
                     *       "points": null,
                     *       "progress": null,
                     *       "reason": null,
                     *       "refused": [],
                     *       "request": {
                     *         "after": null,
                     *         "before": null,
                     *         "filters": {
                     *           "not_camera": [
                     *             "scanner"
                     *           ]
                     *         },
                     *         "folders": [],
                     *         "ids": 0,
                     *         "labels": [
                     *           "cats",
                     *           "dogs"
                     *         ],
                     *         "per_label": 0,
                     *         "perplexity": 30,
                     *         "sample": 2000,
                     *         "upload": true
                     *       },
                     *       "separation": null,
                     *       "stale": false,
                     *       "state": "queued",
                     *       "thumbnails": "/api/v1/images/{id}/thumbnail",
                     *       "total": 0,
                     *       "version": 1790000000000
                     *     }
                     */
                    "application/json": components["schemas"]["MapState"];
                };
            };
            /** @description The request cannot be read (`malformed`) */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Refused: the request comes from another site (`cross-origin`); The bucket is read-only (`read-only-bucket`); Not allowed to change anything (`not-allowed`) */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request did not arrive in time (`too-slow`) */
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is too large (`too-large`) */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "detail": "Unsupported Media Type.",
                     *       "status": 415,
                     *       "title": "Unsupported Media Type",
                     *       "type": "about:blank"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getMap: {
        parameters: {
            query?: {
                /**
                 * @description With its points.
                 * @example true
                 */
                points?: boolean;
                /**
                 * @description The `version` of the map that is known: columns of points as they were are null.
                 * @example 1790000000000
                 */
                since?: number;
            };
            header?: never;
            path: {
                /** @example m-0123456789abcdef0123 */
                map_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The map as it stands. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "clusters": [
                     *         {
                     *           "id": 0,
                     *           "name": "cat",
                     *           "size": 1
                     *         },
                     *         {
                     *           "id": 1,
                     *           "name": "dog",
                     *           "size": 1
                     *         }
                     *       ],
                     *       "count": 2,
                     *       "created_at": "2024-06-01T09:00:00Z",
                     *       "finished_at": "2024-06-01T09:00:09Z",
                     *       "id": "m-0123456789abcdef0123",
                     *       "labels": [
                     *         "cats",
                     *         "dogs"
                     *       ],
                     *       "model": {
                     *         "fingerprint": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                     *         "id": "embedded"
                     *       },
                     *       "points": {
                     *         "cluster": [
                     *           0,
                     *           1
                     *         ],
                     *         "ids": [
                     *           "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10",
                     *           "a1b2c3d4-0001-5000-8000-00000000cafe"
                     *         ],
                     *         "label": [
                     *           0,
                     *           1
                     *         ],
                     *         "new": [
                     *           false,
                     *           false
                     *         ],
                     *         "x": [
                     *           -0.4211,
                     *           0.3977
                     *         ],
                     *         "y": [
                     *           0.1042,
                     *           -0.2218
                     *         ]
                     *       },
                     *       "progress": null,
                     *       "reason": null,
                     *       "refused": [],
                     *       "request": {
                     *         "after": null,
                     *         "before": null,
                     *         "filters": {
                     *           "not_camera": [
                     *             "scanner"
                     *           ]
                     *         },
                     *         "folders": [],
                     *         "ids": 0,
                     *         "labels": [
                     *           "cats",
                     *           "dogs"
                     *         ],
                     *         "per_label": 0,
                     *         "perplexity": 30,
                     *         "sample": 2000,
                     *         "upload": false
                     *       },
                     *       "separation": null,
                     *       "stale": false,
                     *       "state": "done",
                     *       "thumbnails": "/api/v1/images/{id}/thumbnail",
                     *       "total": 2,
                     *       "version": 1790000009000
                     *     }
                     */
                    "application/json": components["schemas"]["MapState"];
                };
            };
            /** @description As If-None-Match has it. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such picture (`image-not-found`); The picture cannot be shown (`not-shown`); No such map (`map-not-found`); The documentation page is not installed (`docs-missing`) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    deleteMap: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example m-0123456789abcdef0123 */
                map_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It is cancelled, or forgotten. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Refused: the request comes from another site (`cross-origin`); The bucket is read-only (`read-only-bucket`); Not allowed to change anything (`not-allowed`) */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such picture (`image-not-found`); The picture cannot be shown (`not-shown`); No such map (`map-not-found`); The documentation page is not installed (`docs-missing`) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getMapThumbnail: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @example m-0123456789abcdef0123 */
                map_id: string;
                /** @example 0 */
                index: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The picture. `application/octet-stream` is here for generated clients, many of which read bytes of no other type. */
            200: {
                headers: {
                    "Cache-Control"?: string;
                    ETag?: string;
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": string;
                    "image/webp": string;
                };
            };
            /** @description As If-None-Match has it. */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such picture (`image-not-found`); The picture cannot be shown (`not-shown`); No such map (`map-not-found`); The documentation page is not installed (`docs-missing`) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getModels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Models and the collection. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "collection": {
                     *         "fingerprint": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                     *         "model_id": "embedded",
                     *         "name": "sightline-60303ae22b99"
                     *       },
                     *       "models": [
                     *         {
                     *           "context_length": 128,
                     *           "device": "cpu",
                     *           "dimensions": 384,
                     *           "fingerprint": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                     *           "id": "embedded",
                     *           "runtime": "openvino",
                     *           "serving": true
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Models"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    searchByText: {
        parameters: {
            query: {
                /**
                 * @description The name of the folder that the picture lies in; repeat it for several.
                 * @example [
                 *       "cats"
                 *     ]
                 */
                label?: string[];
                /**
                 * @description A folder's path; `a/b/` is `a/b`. What lies in folders below it counts too. Repeat it for several.
                 * @example [
                 *       "animals/cats"
                 *     ]
                 */
                folder?: string[];
                /**
                 * @description Words, each of which begins a word of the file's name: `IMG_12` for `IMG_1234.jpg`.
                 * @example [
                 *       "IMG_12"
                 *     ]
                 */
                name?: string[];
                /**
                 * @description Words, each of which is in the file's name, its folders, its title or its keywords.
                 * @example [
                 *       "holiday"
                 *     ]
                 */
                words?: string[];
                /**
                 * @description Words of the camera's name: `nikon` for `NIKON D70`.
                 * @example [
                 *       "canon"
                 *     ]
                 */
                camera?: string[];
                /**
                 * @description Words of the lens's name.
                 * @example [
                 *       "50mm"
                 *     ]
                 */
                lens?: string[];
                /**
                 * @description A format. Its usual endings, such as `jpg`, are taken too.
                 * @example [
                 *       "JPEG"
                 *     ]
                 */
                format?: ("JPEG" | "PNG" | "WebP" | "GIF" | "BMP" | "TIFF" | "HEIC" | "AVIF" | "JPEG XL" | "JPEG 2000" | "PSD" | "camera raw")[];
                /**
                 * @description A panorama is at least twice as long as wide; a square's sides differ by 5 % at most.
                 * @example [
                 *       "landscape"
                 *     ]
                 */
                shape?: ("landscape" | "portrait" | "square" | "panorama")[];
                /**
                 * @description Taken (or, where that is not known, modified) at this moment or later. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC.
                 * @example 2024-05-01
                 */
                after?: string;
                /**
                 * @description Taken (or, where that is not known, modified) before this moment. It means the clock on the wall where a picture was taken, so that an offset or Z is ignored; the time of modification is compared in UTC.
                 * @example 2024-06-01
                 */
                before?: string;
                /**
                 * @description When the picture first came into the collection: at this moment or later.
                 * @example 2024-01-01
                 */
                added_after?: string;
                /**
                 * @description When the picture first came into the collection: before this moment.
                 * @example 2025-01-01
                 */
                added_before?: string;
                /**
                 * @description Taken within a circle: latitude, longitude, kilometres.
                 * @example 48.2,16.4,10km
                 */
                near?: string;
                /**
                 * @description Taken within a box: south, west, north, east, in degrees; it may cross the date line.
                 * @example 46.4,9.5,49.0,17.2
                 */
                box?: string;
                /**
                 * @description The file's size is at least this.
                 * @example 500000
                 */
                min_bytes?: number;
                /**
                 * @description The file's size is at most this.
                 * @example 50000000
                 */
                max_bytes?: number;
                /**
                 * @description Width times height is at least this.
                 * @example 2000000
                 */
                min_pixels?: number;
                /**
                 * @description Width times height is at most this.
                 * @example 200000000
                 */
                max_pixels?: number;
                /**
                 * @description At least so many stars, of five.
                 * @example 4
                 */
                rating?: number;
                /**
                 * @description A label that is left out; repeat it for several, as the others.
                 * @example [
                 *       "dogs"
                 *     ]
                 */
                not_label?: string[];
                /**
                 * @description A folder that is left out, and what is below it.
                 * @example [
                 *       "animals/dogs"
                 *     ]
                 */
                not_folder?: string[];
                /**
                 * @description As `name`, left out.
                 * @example [
                 *       "copy"
                 *     ]
                 */
                not_name?: string[];
                /**
                 * @description As `words`, left out.
                 * @example [
                 *       "draft"
                 *     ]
                 */
                not_words?: string[];
                /**
                 * @description As `camera`, left out.
                 * @example [
                 *       "scanner"
                 *     ]
                 */
                not_camera?: string[];
                /**
                 * @description As `lens`, left out.
                 * @example [
                 *       "fisheye"
                 *     ]
                 */
                not_lens?: string[];
                /**
                 * @description As `format`, left out.
                 * @example [
                 *       "GIF"
                 *     ]
                 */
                not_format?: ("JPEG" | "PNG" | "WebP" | "GIF" | "BMP" | "TIFF" | "HEIC" | "AVIF" | "JPEG XL" | "JPEG 2000" | "PSD" | "camera raw")[];
                /**
                 * @description As `shape`, left out.
                 * @example [
                 *       "panorama"
                 *     ]
                 */
                not_shape?: ("landscape" | "portrait" | "square" | "panorama")[];
                /**
                 * @description How many results at most.
                 * @example 20
                 */
                limit?: number;
                /**
                 * @description How many of the best to leave out. Pages are cuts of one list, by similarity, then id, but for a text's first hundred where the model knows a better order. With `limit`, no more than QDRANT_MAX_DEPTH, which is 1000 unless it is set (`too-deep`).
                 * @example 0
                 */
                offset?: number;
                /**
                 * @description `best`: the best first. `date`: of the first 500 the likely ones alone, the newest first, by when they were taken, or else modified; `limit` and `offset` then count among these. Not for a query of several kinds, and `not-ready` until the collection is calibrated, seconds after the first start.
                 * @example best
                 */
                sort?: "best" | "date";
                /**
                 * @description How much the first 100 results look different from those before them: 0 leaves the best first, 1 counts nothing but the difference; 0.3 shows more kinds and loses little of what is right.
                 * @example 0.3
                 */
                diversity?: number;
                /**
                 * @description Whether copies of a picture, equal or nearly equal, are shown once, with the number of their `copies`.
                 * @example true
                 */
                distinct?: boolean;
                /**
                 * @description Whether the first 50 results come with a graph, and the likely ones in clusters.
                 * @example true
                 */
                clusters?: boolean;
                /**
                 * @description Words to look for, words to leave out, and filters, as above.
                 * @example a cat on a chair -dog folder:animals after:2024-05
                 */
                q: string;
                /**
                 * @description `language`: words, words to leave out and filters. `plain`: all of `q` is words, whatever is in it.
                 * @example language
                 */
                syntax?: "language" | "plain";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What was found. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "clusters": [
                     *         {
                     *           "best_id": "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10",
                     *           "id": 0,
                     *           "name": "cat",
                     *           "similarity": 0.312,
                     *           "size": 1
                     *         }
                     *       ],
                     *       "edges": [
                     *         {
                     *           "similarity": 0.312,
                     *           "source": "query",
                     *           "target": "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10"
                     *         }
                     *       ],
                     *       "model": {
                     *         "fingerprint": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                     *         "id": "embedded"
                     *       },
                     *       "named": {
                     *         "results": [
                     *           {
                     *             "bytes": 2483120,
                     *             "camera": "Canon EOS R6",
                     *             "copies": 0,
                     *             "file_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/file?v=9f86d081884c7d65",
                     *             "folders": [
                     *               "animals",
                     *               "animals/cats"
                     *             ],
                     *             "format": "JPEG",
                     *             "height": 3024,
                     *             "id": "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10",
                     *             "indexed_at": "2024-06-01T08:30:04Z",
                     *             "key": "animals/cats/tom.jpg",
                     *             "label": "cats",
                     *             "modified_at": "2024-06-01T08:30:00Z",
                     *             "name": "tom.jpg",
                     *             "note": null,
                     *             "preview_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/preview?v=9f86d081884c7d65",
                     *             "reason": null,
                     *             "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                     *             "state": "indexed",
                     *             "taken_at": "2024-05-31T18:00:00",
                     *             "taken_offset": "+02:00",
                     *             "thumbnail_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/thumbnail?v=9f86d081884c7d65",
                     *             "width": 4032
                     *           }
                     *         ],
                     *         "total": 1
                     *       },
                     *       "query": {
                     *         "excluded": [
                     *           "dog"
                     *         ],
                     *         "filters": [
                     *           {
                     *             "excluded": false,
                     *             "field": "folder",
                     *             "value": "animals"
                     *           },
                     *           {
                     *             "excluded": false,
                     *             "field": "after",
                     *             "value": "2024-05"
                     *           }
                     *         ],
                     *         "image_id": null,
                     *         "limit": 20,
                     *         "offset": 0,
                     *         "text": "a cat on a chair"
                     *       },
                     *       "relevance": {
                     *         "found": true,
                     *         "judged": 57,
                     *         "likely": 1,
                     *         "message": null,
                     *         "relevant": 1,
                     *         "threshold": 0.312
                     *       },
                     *       "results": [
                     *         {
                     *           "bytes": 2483120,
                     *           "camera": "Canon EOS R6",
                     *           "cluster": 0,
                     *           "copies": 0,
                     *           "file_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/file?v=9f86d081884c7d65",
                     *           "folders": [
                     *             "animals",
                     *             "animals/cats"
                     *           ],
                     *           "format": "JPEG",
                     *           "height": 3024,
                     *           "id": "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10",
                     *           "indexed_at": "2024-06-01T08:30:04Z",
                     *           "key": "animals/cats/tom.jpg",
                     *           "label": "cats",
                     *           "modified_at": "2024-06-01T08:30:00Z",
                     *           "name": "tom.jpg",
                     *           "note": null,
                     *           "preview_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/preview?v=9f86d081884c7d65",
                     *           "probability": 0.87,
                     *           "reason": null,
                     *           "relevance": "likely",
                     *           "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                     *           "similarity": 0.312,
                     *           "state": "indexed",
                     *           "taken_at": "2024-05-31T18:00:00",
                     *           "taken_offset": "+02:00",
                     *           "thumbnail_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/thumbnail?v=9f86d081884c7d65",
                     *           "width": 4032
                     *         }
                     *       ],
                     *       "timings": {
                     *         "cluster_ms": 4.2,
                     *         "encode_ms": 3.1,
                     *         "named_ms": 0.7,
                     *         "search_ms": 1.9,
                     *         "total_ms": 10.5
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["SearchResults"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    search: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                /**
                 * @example {
                 *       "diversity": 0.3,
                 *       "liked": [
                 *         "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10"
                 *       ],
                 *       "limit": 20,
                 *       "parts": [
                 *         {
                 *           "text": "a cat"
                 *         },
                 *         {
                 *           "crop": {
                 *             "height": 0.5,
                 *             "width": 0.5,
                 *             "x": 0.1,
                 *             "y": 0.2
                 *           },
                 *           "id": "a1b2c3d4-0001-5000-8000-00000000cafe",
                 *           "weight": 0.5
                 *         },
                 *         {
                 *           "not": true,
                 *           "text": "grass"
                 *         }
                 *       ]
                 *     }
                 */
                "application/json": components["schemas"]["ComposedQuery"];
                /**
                 * @example {
                 *       "file": "(the bytes of a picture file)",
                 *       "limit": 20,
                 *       "q": "on a chair",
                 *       "q_weight": 0.5
                 *     }
                 */
                "multipart/form-data": components["schemas"]["SearchForm"];
            };
        };
        responses: {
            /** @description What was found. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "clusters": [
                     *         {
                     *           "best_id": "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10",
                     *           "id": 0,
                     *           "name": "cat",
                     *           "similarity": 0.312,
                     *           "size": 1
                     *         }
                     *       ],
                     *       "edges": [
                     *         {
                     *           "similarity": 0.312,
                     *           "source": "query",
                     *           "target": "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10"
                     *         }
                     *       ],
                     *       "model": {
                     *         "fingerprint": "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
                     *         "id": "embedded"
                     *       },
                     *       "named": null,
                     *       "query": {
                     *         "excluded": [],
                     *         "filters": [],
                     *         "image_id": null,
                     *         "limit": 20,
                     *         "offset": 0,
                     *         "text": "a cat on a chair"
                     *       },
                     *       "relevance": {
                     *         "found": true,
                     *         "judged": 57,
                     *         "likely": 1,
                     *         "message": null,
                     *         "relevant": 1,
                     *         "threshold": 0.312
                     *       },
                     *       "results": [
                     *         {
                     *           "bytes": 2483120,
                     *           "camera": "Canon EOS R6",
                     *           "cluster": 0,
                     *           "copies": 0,
                     *           "file_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/file?v=9f86d081884c7d65",
                     *           "folders": [
                     *             "animals",
                     *             "animals/cats"
                     *           ],
                     *           "format": "JPEG",
                     *           "height": 3024,
                     *           "id": "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10",
                     *           "indexed_at": "2024-06-01T08:30:04Z",
                     *           "key": "animals/cats/tom.jpg",
                     *           "label": "cats",
                     *           "modified_at": "2024-06-01T08:30:00Z",
                     *           "name": "tom.jpg",
                     *           "note": null,
                     *           "preview_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/preview?v=9f86d081884c7d65",
                     *           "probability": 0.87,
                     *           "reason": null,
                     *           "relevance": "likely",
                     *           "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                     *           "similarity": 0.312,
                     *           "state": "indexed",
                     *           "taken_at": "2024-05-31T18:00:00",
                     *           "taken_offset": "+02:00",
                     *           "thumbnail_url": "/api/v1/images/3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10/thumbnail?v=9f86d081884c7d65",
                     *           "width": 4032
                     *         }
                     *       ],
                     *       "timings": {
                     *         "cluster_ms": 4.2,
                     *         "encode_ms": 3.1,
                     *         "named_ms": 0.7,
                     *         "search_ms": 1.9,
                     *         "total_ms": 10.5
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["SearchResults"];
                };
            };
            /** @description The request cannot be read (`malformed`) */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Refused: the request comes from another site (`cross-origin`); The bucket is read-only (`read-only-bucket`); Not allowed to change anything (`not-allowed`) */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No such picture (`image-not-found`); The picture cannot be shown (`not-shown`); No such map (`map-not-found`); The documentation page is not installed (`docs-missing`) */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The picture has not been indexed (`no-vector`) */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is too large (`too-large`) */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "detail": "Unsupported Media Type.",
                     *       "status": 415,
                     *       "title": "Unsupported Media Type",
                     *       "type": "about:blank"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getSession: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What this visitor may do. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "change": true,
                     *       "days": 30,
                     *       "keys": true,
                     *       "read": true,
                     *       "signed_in": true,
                     *       "user": null
                     *     }
                     */
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    signIn: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                /**
                 * @example {
                 *       "key": "one-of-the-keys-of-16-characters",
                 *       "remember": true
                 *     }
                 */
                "application/json": components["schemas"]["SignIn"];
            };
        };
        responses: {
            /** @description What this visitor may do from now on; sets the cookie. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "change": true,
                     *       "days": 30,
                     *       "keys": true,
                     *       "read": true,
                     *       "signed_in": true,
                     *       "user": null
                     *     }
                     */
                    "application/json": components["schemas"]["Session"];
                };
            };
            /** @description The request cannot be read (`malformed`) */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Refused: the request comes from another site (`cross-origin`); The bucket is read-only (`read-only-bucket`); Not allowed to change anything (`not-allowed`) */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is too large (`too-large`) */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Unsupported Media Type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "detail": "Unsupported Media Type.",
                     *       "status": 415,
                     *       "title": "Unsupported Media Type",
                     *       "type": "about:blank"
                     *     }
                     */
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The request is not valid (`invalid-request`); Not a picture that can be read (`not-a-picture`); Deeper than a search goes (`too-deep`); Too few pictures for a map (`too-few`) */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    signOut: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The cookie is taken back. */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description Refused: the request comes from another site (`cross-origin`); The bucket is read-only (`read-only-bucket`); Not allowed to change anything (`not-allowed`) */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getStats: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Counts. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "images": {
                     *         "failed": 1,
                     *         "indexed": 538,
                     *         "pending": 3,
                     *         "total": 542
                     *       },
                     *       "labels": [
                     *         {
                     *           "count": 40,
                     *           "label": "cats"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Stats"];
                };
            };
            /** @description A key is needed (`key-required`); None of the keys (`wrong-key`) */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Too many wrong keys (`too-many-keys`); Too much to do at the moment (`overloaded`) */
            429: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After": number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getHealth: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description The process answers. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok"
                     *     }
                     */
                    "application/json": components["schemas"]["Alive"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Prometheus' text format. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /** @example sightline_gateway_query_cache_total{result="hit"} 12.0 */
                    "text/plain": string;
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getReadiness: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Searches will be answered. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "bucket": null,
                     *       "collection": "sightline-60303ae22b99",
                     *       "database": null,
                     *       "disk": null,
                     *       "ready": true,
                     *       "services": null
                     *     }
                     */
                    "application/json": components["schemas"]["Ready"];
                };
            };
            /** @description The encoder cannot be reached (`encoder-unavailable`); No encoder serves the model of this collection (`no-encoder`); The catalogue cannot be reached (`catalogue-unavailable`); The bucket cannot be reached (`bucket-unavailable`); The queue cannot be reached (`queue-unavailable`); Maps cannot be made at the moment (`no-map-worker`); The disk is full (`disk-full`); No room at the moment (`no-room`); Not ready (`not-ready`) */
            503: {
                headers: {
                    /** @description Seconds. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description Any other error. */
            default: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
}
