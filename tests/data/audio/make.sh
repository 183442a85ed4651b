#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the audio files here and expected.txt, from tones and noise of a known
# number of samples. Run it in this folder to make new ones; the tests need
# only what is here already. Wants ffmpeg, lame, flac, opusenc and python3.
set -eu

: >expected.txt
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
quiet="-hide_banner -loglevel error -y"
exact="-bitexact"	# no random numbers, no versions

say() {	# say FILE SAMPLES/RATE|null TYPE [HINT]: microseconds, tolerance 50 ms
	awk -v f="$1" -v d="$2" -v t="$3" -v h="${4:--}" 'BEGIN {
		if (d != "null") { split(d, n, "/"); d = sprintf("%.0f", n[1] * 1000000 / n[2]) }
		printf "%-18s %9s %6d %-17s %s\n", f, d, d == "null" ? 0 : n[3] == "" ? 50000 : n[3], t, h
	}' >>expected.txt
}

tone() {	# tone FILE RATE CHANNELS SAMPLES: 16 bit, a tone that gets louder, then noise
	ffmpeg $quiet -f lavfi -i "aevalsrc=exprs='0.5*t*sin(2*PI*(300+200*t)*t)+0.1*gt(t\,0.7)*(random(0)-0.5)':s=$2" \
	    -af "atrim=end_sample=$4" -ac "$3" -c:a pcm_s16le $exact "$1"
}

tone "$tmp/44s.wav" 44100 2 52920	# 1.2 s
tone "$tmp/44m.wav" 44100 1 132300	# 3 s
tone "$tmp/48s.wav" 48000 2 24000	# 0.5 s
tone "$tmp/24m.wav" 24000 1 48000	# 2 s
tone "$tmp/22s.wav" 22050 2 5000
tone "$tmp/16m.wav" 16000 1 7654
tone "$tmp/8m.wav" 8000 1 4800		# 0.6 s

lame --quiet -b 64 --resample 44.1 "$tmp/44s.wav" stereo.mp3;		say stereo.mp3 52920/44100 audio/mpeg
lame --quiet --cbr -b 32 -t "$tmp/24m.wav" stream.mp3;		say stream.mp3 48000/24000 audio/mpeg
lame --quiet -b 32 "$tmp/8m.wav" mpeg25.mp3;			say mpeg25.mp3 4800/8000 audio/mpeg
lame --quiet --cbr -b 16 -t "$tmp/8m.wav" mpeg25_stream.mp3;	say mpeg25_stream.mp3 4800/8000 audio/mpeg
lame --quiet -V 8 "$tmp/44m.wav" vbr.mp3;			say vbr.mp3 132300/44100 audio/mpeg
lame --quiet -V 8 -t "$tmp/44m.wav" vbr_untagged.mp3;		say vbr_untagged.mp3 132300/44100 audio/mpeg
lame --quiet -b 40 --add-id3v2 --pad-id3v2-size 300 --tt Tone --ta Nobody "$tmp/16m.wav" id3.mp3
say id3.mp3 7654/16000 audio/mpeg
ffmpeg $quiet -i "$tmp/24m.wav" $exact -b:a 24k -f mp3 - >pipe.mp3;	say pipe.mp3 48000/24000 audio/mpeg
cat mpeg25.mp3 id3.mp3 >joined.mp3;	say joined.mp3 "$((4800 * 2 + 7654))/16000" audio/mpeg
ffmpeg $quiet -i "$tmp/48s.wav" $exact -b:a 64k layer2.mp2;		say layer2.mp2 24000/48000 audio/mpeg
head -c 6001 stream.mp3 >cut.mp3;				say cut.mp3 null audio/mpeg
head -c 9000 vbr.mp3 >vbr_cut.mp3;				say vbr_cut.mp3 null audio/mpeg

ffmpeg $quiet -i "$tmp/8m.wav" $exact -c:a pcm_u8 u8.wav;		say u8.wav 4800/8000/1 audio/wav
ffmpeg $quiet -i "$tmp/16m.wav" $exact -c:a copy mono.wav;		say mono.wav 7654/16000/1 audio/wav
ffmpeg $quiet -i "$tmp/22s.wav" $exact -c:a copy stereo.wav;		say stereo.wav 5000/22050/1 audio/wav
ffmpeg $quiet -i "$tmp/8m.wav" $exact -c:a pcm_mulaw mulaw.wav;	say mulaw.wav 4800/8000/1 audio/wav
ffmpeg $quiet -i "$tmp/8m.wav" $exact -c:a copy -rf64 always rf64.wav;	say rf64.wav 4800/8000/1 audio/wav
ffmpeg $quiet -i "$tmp/8m.wav" $exact -c:a copy -f wav - >stream.wav;	say stream.wav 4800/8000/1 audio/wav
python3 - u8.wav zero.wav <<'PY'	# as a writer leaves it that does not go back
import sys
b = bytearray(open(sys.argv[1], "rb").read())
at = b.index(b"data") + 4
b[4:8], b[at:at + 4] = (at - 4).to_bytes(4, "little"), bytes(4)
open(sys.argv[2], "wb").write(b)
PY
say zero.wav 4800/8000/1 audio/wav
head -c 3000 mono.wav >cut.wav;					say cut.wav null audio/wav
head -c 2001 stream.wav >stream_cut.wav;			say stream_cut.wav null audio/wav

flac --totally-silent -f -8 -o mono.flac "$tmp/8m.wav";			say mono.flac 4800/8000/1 audio/flac
flac --totally-silent -f -8 -o stereo.flac "$tmp/22s.wav";			say stereo.flac 5000/22050/1 audio/flac
ffmpeg $quiet -i "$tmp/16m.wav" $exact -compression_level 12 ffmpeg.flac;	say ffmpeg.flac 7654/16000/1 audio/flac
ffmpeg $quiet -i "$tmp/8m.wav" $exact -f flac - >stream.flac;		say stream.flac 4800/8000/1 audio/flac
head -c -300 mono.flac >cut.flac;				say cut.flac null audio/flac
head -c -300 stream.flac >stream_cut.flac;			say stream_cut.flac null audio/flac
ffmpeg $quiet -i "$tmp/8m.wav" $exact -c:a flac flac.ogg;		say flac.ogg 4800/8000/1 audio/ogg

opusenc --quiet --serial 1 --bitrate 12 "$tmp/24m.wav" mono.opus;	say mono.opus 48000/24000 audio/ogg
opusenc --quiet --serial 2 --bitrate 32 "$tmp/48s.wav" stereo.opus;	say stereo.opus 24000/48000 audio/ogg
ffmpeg $quiet -i "$tmp/16m.wav" $exact -c:a libopus -b:a 12k ffmpeg.opus;	say ffmpeg.opus 7654/16000 audio/ogg
cat stereo.opus mono.opus >chained.opus;			say chained.opus 5/2 audio/ogg
head -c -700 mono.opus >cut.opus;				say cut.opus null audio/ogg
ffmpeg $quiet -i "$tmp/44s.wav" $exact -c:a libvorbis -q:a 0 vorbis.ogg;	say vorbis.ogg 52920/44100 audio/ogg
head -c -700 vorbis.ogg >vorbis_cut.ogg;			say vorbis_cut.ogg null audio/ogg

ffmpeg $quiet -i "$tmp/44s.wav" $exact -b:a 48k stereo.aac;		say stereo.aac 52920/44100 audio/aac
ffmpeg $quiet -i "$tmp/24m.wav" $exact -b:a 24k mono.aac;		say mono.aac 48000/24000 audio/aac
ffmpeg $quiet -i "$tmp/48s.wav" $exact -b:a 48k short.aac;		say short.aac 24000/48000 audio/aac
ffmpeg $quiet -i "$tmp/16m.wav" $exact -b:a 16k low.aac;		say low.aac 7654/16000 audio/aac
head -c -40 mono.aac >cut.aac;					say cut.aac null audio/aac
ffmpeg $quiet -i "$tmp/44s.wav" $exact -b:a 48k tail.m4a;		say tail.m4a 52920/44100 audio/mp4
ffmpeg $quiet -i "$tmp/24m.wav" $exact -b:a 24k -movflags +faststart head.m4a;	say head.m4a 48000/24000 audio/mp4
head -c -400 head.m4a >cut.m4a;					say cut.m4a null audio/mp4
ffmpeg $quiet -f lavfi -i testsrc=s=32x32:r=10:d=0.5 -i "$tmp/48s.wav" $exact -c:v mpeg4 -b:a 24k video.mp4
say video.mp4 24000/48000 video/mp4

ffmpeg $quiet -i "$tmp/24m.wav" $exact -c:a libopus -b:a 12k told.webm;	say told.webm 48000/24000 audio/webm
ffmpeg $quiet -i "$tmp/24m.wav" $exact -c:a libopus -b:a 12k -live 1 -f webm - >live.webm
say live.webm 48000/24000 audio/webm
ffmpeg $quiet -i "$tmp/8m.wav" $exact -c:a flac flac.mka;		say flac.mka 4800/8000 audio/x-matroska
head -c -300 told.webm >cut.webm;				say cut.webm null audio/webm

ffmpeg $quiet -i "$tmp/24m.wav" $exact -t 0.35 -f s16le mono.pcm;	say mono.pcm 8400/24000/1 audio/pcm pcm
ffmpeg $quiet -i "$tmp/16m.wav" $exact -t 0.3 -f s16le rate.pcm;	say rate.pcm 4800/16000/1 audio/pcm 'audio/L16; rate=16000'
ffmpeg $quiet -i "$tmp/22s.wav" $exact -f s16le stereo.pcm
say stereo.pcm 5000/22050/1 audio/pcm 'audio/pcm;channels=2;rate=22050'
head -c 9001 mono.pcm >cut.pcm;				say cut.pcm null audio/pcm pcm
