"""Generates `server/wire` from `proto/`: `make wire`.

The generated modules import each other by the proto package's path; as `proto` and
`propono` are not Python packages here, those imports are rewritten to `server.wire`.
"""

import re
import sys
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

PROTO = Path(__file__).parent
WIRE = PROTO.parent / "server" / "wire"


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else WIRE
    for path in folder.glob("*_pb2*"):
        path.unlink()
    generate(folder)


def generate(folder: Path) -> None:
    """Write the generated modules into a folder, flat."""
    sources = sorted(path.relative_to(PROTO) for path in PROTO.rglob("*.proto"))
    with resources.as_file(resources.files("grpc_tools") / "_proto") as bundled:
        status = protoc.main(
            [
                "protoc",
                f"--proto_path={PROTO}",
                f"--proto_path={bundled}",
                f"--python_out={folder}",
                f"--pyi_out={folder}",
                f"--grpc_python_out={folder}",
                *(str(source) for source in sources),
            ]
        )
    if status != 0:
        sys.exit(status)
    nested = folder / "propono" / "v1"
    for path in nested.iterdir():
        text = path.read_text()
        text = re.sub(r"from propono\.v1 import", "from server.wire import", text)
        (folder / path.name).write_text(text)
        path.unlink()
    nested.rmdir()
    nested.parent.rmdir()


if __name__ == "__main__":
    main()
