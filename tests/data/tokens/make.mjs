// SPDX-License-Identifier: Apache-2.0
// make.mjs: writes texts.jsonl, one [text, tokens in o200k_base, tokens in cl100k_base] a line. The counts are
// those of the npm package `tiktoken` (OpenAI's own code as WebAssembly): `npm install tiktoken`, then
// `node make.mjs >texts.jsonl` where node finds it.
import { get_encoding } from "tiktoken";

const sentences = [
  "The quick brown fox jumps over the lazy dog, doesn't it?", // Latin
  "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
  "Le cœur déçu mais l'âme plutôt naïve, Louÿs rêva de crapaüter.",
  "Người ta đi chợ từ sáng sớm để mua rau tươi.",
  "Pchnąć w tę łódź jeża lub ośm skrzyń fig; žluťoučký kůň.",
  "Съешь ещё этих мягких французских булок, да выпей чаю.", // Cyrillic
  "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία, και φεύγω.", // Greek
  "דג סקרן שט בים מאוכזב ולפתע מצא לו חברה.", // Hebrew
  "صِف خَلقَ خَودٍ كَمِثلِ الشَمسِ إِذ بَزَغَت، وقال نعم.", // Arabic
  "کتاب خوب بهترین دوست انسان است و راه را نشان می‌دهد.", // Persian
  "मौसम आज बहुत अच्छा है, हम बाज़ार जाएँगे।", // Devanagari
  "আমি বাংলায় গান গাই, আমি বাংলার গান গাই।", // Bengali
  "ਅੱਜ ਮੌਸਮ ਬਹੁਤ ਸੋਹਣਾ ਹੈ ਅਤੇ ਅਸੀਂ ਖੁਸ਼ ਹਾਂ।", // Gurmukhi
  "આજે હવામાન ખૂબ સરસ છે, ચાલો ફરવા જઈએ.", // Gujarati
  "ଆଜି ପାଗ ଭଲ ଅଛି, ଆମେ ବୁଲିବାକୁ ଯିବା।", // Odia
  "இன்று வானிலை நன்றாக உள்ளது, நாம் செல்வோம்.", // Tamil
  "ఈ రోజు వాతావరణం బాగుంది, మనం వెళ్దాం.", // Telugu
  "ಇಂದು ಹವಾಮಾನ ಚೆನ್ನಾಗಿದೆ, ನಾವು ಹೋಗೋಣ.", // Kannada
  "ഇന്ന് കാലാവസ്ഥ നല്ലതാണ്, നമുക്ക് പോകാം.", // Malayalam
  "අද කාලගුණය හොඳයි, අපි යමු.", // Sinhala
  "วันนี้อากาศดีมาก เราไปเดินเล่นกันเถอะ", // Thai
  "ມື້ນີ້ອາກາດດີຫຼາຍ ພວກເຮົາໄປຍ່າງຫຼິ້ນກັນ", // Lao
  "ဒီနေ့ ရာသီဥတု သာယာတယ်၊ သွားကြမယ်။", // Myanmar
  "ថ្ងៃនេះអាកាសធាតុល្អណាស់ យើងទៅដើរលេង។", // Khmer
  "བོད་ཀྱི་སྐད་ཡིག་སྦྱོང་བ་ཡག་པོ་ཡོད།", // Tibetan
  "今天天气很好，我们去公园散步吧。", // Han
  "今日は天気がいいので、公園へ散歩に行きましょう。カタカナも。", // Kana
  "오늘은 날씨가 좋아서 공원에 산책하러 갑니다.", // Hangul
  "დღეს კარგი ამინდია, წავიდეთ პარკში.", // Georgian
  "Այսօր լավ եղանակ է, գնանք այգի։", // Armenian
  "ዛሬ የአየር ሁኔታው ጥሩ ነው፣ እንሂድ።", // Ethiopic
  "ᏣᎳᎩ ᎦᏬᏂᎯᏍᏗ ᎣᏍᏓ", // Cherokee
  "ᠮᠣᠩᠭᠣᠯ ᠪᠢᠴᠢᠭ᠌ ᠦᠰᠦᠭ᠎ᠡ", // Mongolian, with its vowel separator
];
const code = [
  'int main(int argc, char **argv)\n{\n\tprintf("%d\\n", argc);\n\treturn 0;\n}\n',
  "def f(x: int) -> str:\n    return f\"{x:>10}\" if x else 'none'\n\n\n",
  "SELECT id, COUNT(*) FROM spans WHERE model LIKE 'gpt-%' GROUP BY id HAVING COUNT(*)>1;",
  "<div class=\"a b\" data-x='1'>\r\n  <p>&amp;nbsp;</p>\r\n</div>",
  "const a = [...new Set(b)].map(({ id }) => `${id}`)?.at(-1) ?? null; // why?",
  "{\"a\":[1,2.5e-10,null,true],\"b\":{\"c\":\"\\u00e9\"}}",
  "fn main() { let v: Vec<u8> = vec![0; 1 << 20]; println!(\"{:?}\", &v[..8]); }",
  "#!/bin/sh\nset -eu\nfor f in *.c; do cc -O2 -c \"$f\" || exit 1; done",
  "https://example.com/a/b?c=d&e=f#g  user@example.org  C:\\Temp\\x.txt",
  "0x1F 1_000_000 3.14159265358979 192.168.0.1 2026-11-27T10:00:00Z 12345678901234567890",
];
const odd = [
  "😀😃😄 👍🏽 👨‍👩‍👧‍👦 🏳️‍🌈 🇩🇪🇫🇷 ☕️ ♥ 🧑🏿‍🚀", "™ © ® ± ≠ ∞ ∑ √ ∂ ½ ² ³ ₁ Ⅷ ⑤", "— – … “quoted” ‘single’ «guillemets» „unten“",
  "   leading", "trailing   ", "a  b   c    d     e", "\n\n\n", "\r\n\r\n \r\n", "\t\tx\t", " \n  \n   x", "a\u00a0b\u2003c\u3000d\u2028e\u2029f",
  "I'm you're he'S WE'LL they'd don'T it's'", "'sing 'tis 'Twas", "CamelCaseXMLHttpRequest snake_case_name kebab-case", "ALLCAPS lower Mixed McDonald ÀÉÎ àéî",
  "1 22 333 4444 55555 666666", "a1b2c3d4", "!!!???...", "=====-----_____", "<|endoftext|> <|im_start|>", "e\u0301e\u0302 a\u0308", "\u200b\u200d\ufeff", "ﬁ ﬂ ﬀ",
  "x", " ", "", "é", "漢", "😀", "\u0000\u0001\u001f", "ſs 'ſ", "İstanbul ıI", "ǅ ǈ ǋ", "\ud83d", "𝒜𝓑𝔠 𝟙𝟚𝟛", "a\u180eb",
];
let seed = 12345;
const random = (n) => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return (seed >>> 8) % n; };
const pick = (list) => list[random(list.length)];
const texts = [...sentences, ...code, ...odd];
for (const s of [...sentences, ...code]) { // pieces, cut inside words
  const chars = [...s];
  for (let i = 0; i < 9; i++) { const a = random(chars.length); texts.push(chars.slice(a, a + 1 + random(24)).join("")); }
}
for (let i = 0; i < 420; i++) texts.push(Array.from({ length: 2 + random(3) }, () => pick(pick([sentences, code, odd]))).join(pick(["", " ", "\n", "  ", ", ", "\t"])));
for (let i = 0; i < 160; i++) texts.push(pick([..."a Az!0漢é \n-_=😀"]).repeat(1 + random(400)));
for (let i = 0; i < 160; i++) { // words that are none: long pieces
  let w = "";
  for (let n = 20 + random(300); n > 0; n--) w += pick([..."abcdefghijklmnopqrstuvwxyz"]);
  texts.push(i % 2 ? w : w.replace(/./g, (c) => (random(9) ? c : c.toUpperCase())));
}
const o = get_encoding("o200k_base"), c = get_encoding("cl100k_base"), seen = new Set();
for (const t of texts) {
  if (seen.has(t) || !t.isWellFormed()) continue;
  seen.add(t);
  console.log(JSON.stringify([t, o.encode_ordinary(t).length, c.encode_ordinary(t).length]));
}
