import { ALL_MONEY, startBank } from "../support/scratch-bank.ts";

/**
 * Given how often (20), dump two databases between which writers move money; return what was seen. Throws where a dump shows two moments, its
 * counts are not those of its rows, or the dumps without the lock show none either: then the loop would prove nothing.
 */
export async function soakBackupMysql(count = 20): Promise<string> {
  const bank = await startBank();
  if (!bank) throw new Error("there is no mariadbd on this machine");
  try {
    let broken = 0;
    let transfers = 0;
    for (let round = 0; round < count; round++) {
      const dump = await bank.dump();
      if (dump.money !== ALL_MONEY)
        throw new Error(`round ${round}: ${dump.money} of ${ALL_MONEY}`);
      if (dump.wrong.length > 0) throw new Error(`round ${round}: ${dump.wrong.join(", ")}`);
      ({ transfers } = dump);
      if ((await bank.dumpUnsynchronised()) !== ALL_MONEY) broken++;
    }
    if (broken === 0)
      throw new Error("without the lock nothing broke: there is too little to prove");
    return `${count} of ${count} dumps show one moment, over ${transfers} transfers; without the lock ${broken} of ${count} do not`;
  } finally {
    await bank.close();
  }
}
