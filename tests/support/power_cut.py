"""What a disk may hold when power is lost: rebuilt from the journal of a process (file_journal.h).

What was noted before a sync began lasts once the sync's end is noted. Of what was written since, any
512-byte sectors may be there, each by itself; of what was resized and written, any part. Names come
and go in the order of their changes, up to any point, in every directory by itself or in all
together; what came before a directory's sync lasts.
"""

import os
import pathlib
import struct

RECORD = struct.Struct("<qQIIII")  # FileJournalRecord
(OPEN, WRITE, TRUNCATE, SYNC, REMOVE, RENAME, MAKE_DIRECTORY, SYNC_DIRECTORY,
 SYNCED) = range(1, 10)
FLAG_TRUNCATE = 16
SECTOR = 512
DIRECTORY = "directory"


class Inode:
    def __init__(self, data=b""):
        self.durable = bytearray(data)
        self.first, self.pending = 0, []  # changes since: (offset, data); data None: to `offset`

    def note(self, offset, data):
        self.pending.append((offset, data))

    def mark(self):
        return self.first + len(self.pending)

    def sync(self, mark):
        """Everything before `mark` is durable."""
        count = max(0, mark - self.first)
        for offset, data in self.pending[:count]:
            put(self.durable, offset, data)
        del self.pending[:count]
        self.first += count

    def survivor(self, random, quarters):
        """What is found later: each sector of what was not synced with a likelihood in quarters."""
        content = bytearray(self.durable)
        for offset, data in self.pending:
            if data is None:
                if random.randrange(4) < quarters:
                    put(content, offset, None)
                continue
            done = 0
            while done < len(data):
                piece = min(SECTOR - (offset + done) % SECTOR, len(data) - done)
                if random.randrange(4) < quarters:
                    put(content, offset + done, data[done : done + piece])
                done += piece
        return content


def put(content, offset, data):
    end = offset if data is None else offset + len(data)
    if len(content) < end:
        content.extend(bytes(end - len(content)))
    if data is None:
        del content[end:]
    else:
        content[offset:end] = data


class Disk:
    """The folder `root` of one process, whose journal starts with the durable files of `base`."""

    def __init__(self, root, base, journal):
        self.root = os.path.normpath(root)
        self.seen, self.durable = {}, {}  # path: Inode or DIRECTORY
        self.names = []  # changes since: (directories, [(path, inode or None)])
        self.files, self.syncs = {}, {}
        self.unsynced = 0  # bytes that the last image had to draw for
        for path in sorted(pathlib.Path(base).rglob("*")):
            entry = DIRECTORY if path.is_dir() else Inode(path.read_bytes())
            name = os.path.join(self.root, os.path.relpath(path, base))
            self.seen[name] = self.durable[name] = entry
        self.records = self._records(pathlib.Path(journal).read_bytes())
        self.next = next(self.records, None)

    @staticmethod
    def _records(data):
        at = 0
        while at + RECORD.size <= len(data):
            us, offset, kind, file, path_bytes, data_bytes = RECORD.unpack_from(data, at)
            at += RECORD.size
            if at + path_bytes + data_bytes > len(data):
                return  # the process was killed in the middle of it
            path = os.path.normpath(data[at : at + path_bytes].decode()) if path_bytes else None
            at += path_bytes
            yield us, kind, file, offset, path, data[at : at + data_bytes]
            at += data_bytes

    def advance(self, us):
        """Plays what happened before that moment."""
        while self.next is not None and self.next[0] < us:
            self._play(*self.next[1:])
            self.next = next(self.records, None)

    def _is_ours(self, path):
        return path.startswith(self.root + "/")

    def _play(self, kind, file, offset, path, data):
        if kind == OPEN and self._is_ours(path):
            self._open(file, offset, path)
        elif kind in (WRITE, TRUNCATE) and file in self.files:
            self.files[file].note(offset, data if kind == WRITE else None)
        elif kind == SYNC and file in self.files:
            self.syncs[offset] = (self.files[file], self.files[file].mark())
        elif kind == SYNC_DIRECTORY:
            # Changes are told apart by themselves: others may go meanwhile.
            self.syncs[offset] = (None, [c for c in self.names if path in c[0]])
        elif kind == SYNCED and offset in self.syncs:
            self._synced(*self.syncs.pop(offset))
        elif kind == MAKE_DIRECTORY and self._is_ours(path):
            while path != self.root:
                self.seen[path] = self.durable[path] = DIRECTORY
                path = os.path.dirname(path)
        elif kind == REMOVE and path in self.seen:
            self._rename([(path, None)])
        elif kind == RENAME and path in self.seen:
            target = os.path.normpath(data.decode())
            self._rename([(path, None), (target, self.seen[path])])

    def _open(self, file, flags, path):
        if path not in self.seen:
            self._rename([(path, Inode())])
        inode = self.files[file] = self.seen[path]
        if flags & FLAG_TRUNCATE:
            inode.note(0, None)

    def _rename(self, effects):
        self.names.append(({os.path.dirname(path) for path, _ in effects}, effects))
        apply(self.seen, effects)

    def _synced(self, inode, mark):
        if inode is not None:
            inode.sync(mark)
            return
        before = {id(change) for change in mark}
        for change in self.names:  # a sync beside this one may have made some of them durable
            if id(change) in before:
                apply(self.durable, change[1])
        self.names = [change for change in self.names if id(change) not in before]

    def image(self, random, target):
        """Writes into the folder `target` what may be found now."""
        names = dict(self.durable)
        for effects in self._surviving_names(random):
            apply(names, effects)
        quarters = random.randrange(5)
        pathlib.Path(target).mkdir(parents=True)
        self.unsynced = sum(len(d or b"") for i in names.values() if i is not DIRECTORY
                            for _, d in i.pending)
        for path in sorted(names):
            place = pathlib.Path(target) / os.path.relpath(path, self.root)
            if names[path] is DIRECTORY:
                place.mkdir(exist_ok=True)
            elif place.parent.is_dir():  # else a directory that was removed for good
                place.write_bytes(names[path].survivor(random, quarters))

    def _surviving_names(self, random):
        """None, all, or those up to a point: of all, or of each directory."""
        mode = random.randrange(4)
        if mode < 2:
            return [effects for _, effects in self.names] if mode == 1 else []
        left, kept = {}, []
        overall = random.randrange(len(self.names) + 1)
        for i, (directories, effects) in enumerate(self.names):
            if mode == 2:
                is_kept = i < overall
            else:
                for directory in directories:
                    if left.setdefault(directory, True) and random.randrange(8) == 0:
                        left[directory] = False
                is_kept = all(left[directory] for directory in directories)
            if is_kept:
                kept.append(effects)
        return kept


def apply(names, effects):
    for path, inode in effects:
        if inode is None:
            names.pop(path, None)
        else:
            names[path] = inode
