# map-page [FOLDER]: maps the file FOLDER/page, by default in /data, and counts up in its first page through the mapping all the time, which gives the
# file no new time while the page is dirty; after each step it appends the count to FOLDER/log with an ordinary write. So at any one moment the last
# line of the log is the count or one less. When FOLDER/halt appears it counts once more, in the page and in the log, and rests (FOLDER/rests).
import mmap
import os
import struct
import sys
import time

folder = sys.argv[1] if len(sys.argv) > 1 else '/data'
path = os.path.join(folder, 'page')
with open(path, 'wb') as file:
    file.write(bytes(1_000_000))
    file.flush()
    os.fsync(file.fileno())
descriptor = os.open(path, os.O_RDWR)
page = mmap.mmap(descriptor, 0)
log = os.open(os.path.join(folder, 'log'), os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
count = 0


def step():
    global count
    count += 1
    page[0:8] = struct.pack('<Q', count)
    os.write(log, b'%d\n' % count)


print('counting', flush=True)
while True:
    if os.path.exists(os.path.join(folder, 'halt')):
        step()
        open(os.path.join(folder, 'rests'), 'w').close()
        while os.path.exists(os.path.join(folder, 'halt')):
            time.sleep(0.05)
        os.remove(os.path.join(folder, 'rests'))
    step()
    time.sleep(0.005)
