"""An example of each call in the OpenAPI document: what is sent, and what is answered."""

from __future__ import annotations

from typing import Any

IMAGE_ID = "3f0c7a52-98d4-5b1e-a0c6-7d2f4e8b9a10"
OTHER_ID = "a1b2c3d4-0001-5000-8000-00000000cafe"
MAP_ID = "m-0123456789abcdef0123"
SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
OTHER_SHA256 = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
FINGERPRINT = "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752"
MODEL = {"id": "embedded", "fingerprint": FINGERPRINT}
FILE = "(the bytes of a picture file)"

PARAMETERS: dict[str, Any] = {
    "image_id": IMAGE_ID,
    "map_id": MAP_ID,
    "index": 0,
    "q": "a cat on a chair -dog folder:animals after:2024-05",
    "syntax": "language",
    "label": ["cats"],
    "folder": ["animals/cats"],
    "after": "2024-05-01",
    "before": "2024-06-01",
    "name": ["IMG_12"],
    "words": ["holiday"],
    "camera": ["canon"],
    "lens": ["50mm"],
    "format": ["JPEG"],
    "shape": ["landscape"],
    "added_after": "2024-01-01",
    "added_before": "2025-01-01",
    "near": "48.2,16.4,10km",
    "box": "46.4,9.5,49.0,17.2",
    "min_bytes": 500000,
    "max_bytes": 50000000,
    "min_pixels": 2000000,
    "max_pixels": 200000000,
    "rating": 4,
    "not_label": ["dogs"],
    "not_folder": ["animals/dogs"],
    "not_name": ["copy"],
    "not_words": ["draft"],
    "not_camera": ["scanner"],
    "not_lens": ["fisheye"],
    "not_format": ["GIF"],
    "not_shape": ["panorama"],
    "state": ["indexed"],
    "limit": 20,
    "offset": 0,
    "clusters": True,
    "distinct": True,
    "diversity": 0.3,
    "sort": "best",
    "copies_of": IMAGE_ID,
    "field": ["label", "camera"],
    "kind": "near",
    "v": SHA256[:16],
    "points": True,
    "since": 1790000000000,
    "Range": "bytes=0-1023",
}
"""Examples of parameters, by name; a cursor has none, since only an answer gives one."""

IMAGE = {
    "id": IMAGE_ID,
    "key": "animals/cats/tom.jpg",
    "name": "tom.jpg",
    "label": "cats",
    "folders": ["animals", "animals/cats"],
    "state": "indexed",
    "reason": None,
    "sha256": SHA256,
    "width": 4032,
    "height": 3024,
    "format": "JPEG",
    "bytes": 2483120,
    "taken_at": "2024-05-31T18:00:00",
    "taken_offset": "+02:00",
    "camera": "Canon EOS R6",
    "note": None,
    "modified_at": "2024-06-01T08:30:00Z",
    "indexed_at": "2024-06-01T08:30:04Z",
    "copies": 0,
    "thumbnail_url": f"/api/v1/images/{IMAGE_ID}/thumbnail?v={SHA256[:16]}",
    "preview_url": f"/api/v1/images/{IMAGE_ID}/preview?v={SHA256[:16]}",
    "file_url": f"/api/v1/images/{IMAGE_ID}/file?v={SHA256[:16]}",
}
DETAILS = {
    **IMAGE,
    "taken_from": "exif",
    "place": {"latitude": 48.2082, "longitude": 16.3738},
    "lens": "RF 50mm F1.8 STM",
    "rating": 4,
    "title": "Tom at the window",
    "keywords": ["tom", "window"],
    "added_at": "2024-06-01T08:30:04Z",
}
SMALLER = {
    **IMAGE,
    "id": OTHER_ID,
    "key": "sent/tom-small.jpg",
    "name": "tom-small.jpg",
    "label": "sent",
    "folders": ["sent"],
    "sha256": OTHER_SHA256,
    "width": 1024,
    "height": 768,
    "bytes": 112300,
    "copies": None,
    "thumbnail_url": f"/api/v1/images/{OTHER_ID}/thumbnail?v={OTHER_SHA256[:16]}",
    "preview_url": f"/api/v1/images/{OTHER_ID}/preview?v={OTHER_SHA256[:16]}",
    "file_url": f"/api/v1/images/{OTHER_ID}/file?v={OTHER_SHA256[:16]}",
}
CURSOR = "eyJ0IjoxNzE3MTc4NDAwfQ"
TEXT_QUERY: dict[str, Any] = {
    "text": "a cat on a chair",
    "image_id": None,
    "limit": 20,
    "offset": 0,
    "excluded": [],
    "filters": [],
}
FOUND = {
    "query": TEXT_QUERY,
    "model": MODEL,
    "results": [{**IMAGE, "similarity": 0.312, "probability": 0.87, "relevance": "likely", "cluster": 0}],
    "named": None,
    "clusters": [{"id": 0, "name": "cat", "size": 1, "similarity": 0.312, "best_id": IMAGE_ID}],
    "edges": [{"source": "query", "target": IMAGE_ID, "similarity": 0.312}],
    "relevance": {"found": True, "message": None, "relevant": 1, "threshold": 0.312, "likely": 1, "judged": 57},
    "timings": {"encode_ms": 3.1, "search_ms": 1.9, "named_ms": 0.7, "cluster_ms": 4.2, "total_ms": 10.5},
}
FOUND_BY_TEXT = {
    **FOUND,
    "query": {
        **TEXT_QUERY,
        "excluded": ["dog"],
        "filters": [
            {"field": "folder", "value": "animals", "excluded": False},
            {"field": "after", "value": "2024-05", "excluded": False},
        ],
    },
    "named": {"total": 1, "results": [IMAGE]},
}
SIMILAR = {
    **FOUND,
    "query": {**TEXT_QUERY, "text": None, "image_id": OTHER_ID},
}
WAITING_MAP = {
    "id": MAP_ID,
    "version": 1790000000000,
    "state": "queued",
    "reason": None,
    "request": {
        "labels": ["cats", "dogs"],
        "folders": [],
        "after": None,
        "before": None,
        "filters": {"not_camera": ["scanner"]},
        "ids": 0,
        "upload": False,
        "per_label": 0,
        "sample": 2000,
        "perplexity": 30.0,
    },
    "model": MODEL,
    "created_at": "2024-06-01T09:00:00Z",
    "finished_at": None,
    "count": 0,
    "total": 0,
    "progress": None,
    "labels": [],
    "points": None,
    "thumbnails": "/api/v1/images/{id}/thumbnail",
    "clusters": [],
    "separation": None,
    "stale": False,
    "refused": [],
}
MAP = {
    **WAITING_MAP,
    "version": 1790000009000,
    "state": "done",
    "finished_at": "2024-06-01T09:00:09Z",
    "count": 2,
    "total": 2,
    "labels": ["cats", "dogs"],
    "points": {
        "ids": [IMAGE_ID, OTHER_ID],
        "x": [-0.4211, 0.3977],
        "y": [0.1042, -0.2218],
        "label": [0, 1],
        "cluster": [0, 1],
        "new": [False, False],
    },
    "clusters": [{"id": 0, "name": "cat", "size": 1}, {"id": 1, "name": "dog", "size": 1}],
}
SESSION = {"read": True, "change": True, "keys": True, "signed_in": True, "user": None, "days": 30}
COUNTS = {"pending": 3, "indexed": 538, "failed": 1}

BODIES: dict[str, Any] = {
    "uploadImages": {"files": [FILE], "folder": "holidays/2024"},
    "search": {"file": FILE, "q": "on a chair", "q_weight": 0.5, "limit": 20},
    "makeMap": {"labels": ["cats", "dogs"], "filters": {"not_camera": ["scanner"]}, "sample": 2000},
    "makeMapOfUploads": {"files": [FILE], "perplexity": 30},
    "rescan": {"folder": "holidays/2024", "verify": True},
    "confirmLoss": {"until": "2024-06-01T09:00:00Z"},
    "signIn": {"key": "one-of-the-keys-of-16-characters", "remember": True},
}
"""Examples of requests' bodies, by the call's id."""

JSON_BODIES: dict[str, Any] = {
    "search": {
        "parts": [
            {"text": "a cat"},
            {"id": OTHER_ID, "crop": {"x": 0.1, "y": 0.2, "width": 0.5, "height": 0.5}, "weight": 0.5},
            {"text": "grass", "not": True},
        ],
        "liked": [IMAGE_ID],
        "limit": 20,
        "diversity": 0.3,
    },
}
"""Examples of bodies of JSON, of calls that take a form, too."""

ANSWERS: dict[str, Any] = {
    "browseImages": {"images": [IMAGE], "cursor": CURSOR},
    "getFacets": {
        "facets": [
            {"field": "label", "values": [{"value": "cats", "count": 40}, {"value": "dogs", "count": 12}]},
            {"field": "camera", "values": [{"value": "Canon EOS R6", "count": 31}]},
        ]
    },
    "browseDuplicates": {
        "groups": [
            {
                "kind": "near",
                "images": [{**IMAGE, "copies": None}, SMALLER],
                "count": 2,
                "best_id": IMAGE_ID,
                "bytes": 2595420,
                "saved_bytes": 112300,
            }
        ],
        "cursor": CURSOR,
    },
    "getImage": DETAILS,
    "uploadImages": {
        "accepted": [{"name": "tom.jpg", "key": "holidays/2024/tom.jpg", "id": IMAGE_ID}],
        "present": [{"name": "felix.jpg", "key": "animals/cats/felix.jpg", "id": OTHER_ID}],
        "refused": [{"name": "notes.txt", "reason": "not an image"}],
    },
    "searchByText": FOUND_BY_TEXT,
    "search": FOUND,
    "searchSimilar": SIMILAR,
    "getIngest": {
        **COUNTS,
        "ignored": 4,
        "queued": 1,
        "scanning": False,
        "last_scan_at": "2024-06-01T08:59:30Z",
        "writable": True,
        "database": None,
        "services": None,
        "disk": None,
        "bucket": None,
        "held": {
            "count": 412,
            "of": 2000,
            "since": "2024-06-01T08:59:30Z",
            "examples": ["archive/1998/0001.jpg", "archive/1998/0002.jpg"],
            "message": "412 of 2,000 pictures are gone at once: is a disk not mounted? They stay in search meanwhile.",
        },
        "model_change": None,
    },
    "getFailures": {
        "failures": [
            {
                "id": OTHER_ID,
                "key": "animals/broken.jpg",
                "reason": "the file is cut off",
                "attempts": 1,
                "next_try_at": None,
            }
        ],
        "cursor": None,
    },
    "getLeftOut": {
        "scanned_at": "2024-06-01T08:59:30Z",
        "count": 49,
        "groups": [
            {
                "kind": "folder",
                "name": "#snapshot",
                "title": "41 in #snapshot",
                "reason": "a folder that programs and storage systems make, not people",
                "count": 41,
                "at_least": False,
                "examples": ["#snapshot/daily/tom.jpg"],
            },
            {
                "kind": "extension",
                "name": ".mp4",
                "title": "8 with the extension .mp4",
                "reason": "video",
                "count": 8,
                "at_least": False,
                "examples": ["holidays/2024/sea.mp4"],
            },
        ],
    },
    "rescan": {"queued": True, "retried": 0},
    "confirmLoss": {"queued": True, "held": 412},
    "makeMap": WAITING_MAP,
    "makeMapOfUploads": {**WAITING_MAP, "request": {**WAITING_MAP["request"], "upload": True}},  # type: ignore[dict-item]
    "getMaps": {"maps": [{**MAP, "points": None}]},
    "getMap": MAP,
    "getSession": SESSION,
    "signIn": SESSION,
    "getModels": {
        "models": [
            {
                **MODEL,
                "dimensions": 384,
                "context_length": 128,
                "runtime": "openvino",
                "device": "cpu",
                "serving": True,
            }
        ],
        "collection": {"name": "sightline-60303ae22b99", "model_id": "embedded", "fingerprint": FINGERPRINT},
    },
    "getStats": {"images": {**COUNTS, "total": 542}, "labels": [{"label": "cats", "count": 40}]},
    "getHealth": {"status": "ok"},
    "getReadiness": {
        "ready": True,
        "collection": "sightline-60303ae22b99",
        "database": None,
        "bucket": None,
        "services": None,
        "disk": None,
    },
    "getMetrics": 'sightline_gateway_query_cache_total{result="hit"} 12.0\n',
}
"""Examples of answers that are not pictures, by the call's id."""
