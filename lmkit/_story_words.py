"""The words and sentences of the story language (lmkit/stories.py), in English and Chinese.

How to read a sentence: `{hero}` says a slot's word and `{hero.her}` another form of it,
`<walk>` stands for a rule, `owner=hero` says nothing and makes `owner` another name of
`hero` from there on, and everything else is a token. A rule is a list of (weight, sentence).
"""


def _table(words, **forms):
    """Words in a row, with the forms that all of them have."""
    return {word: forms for word in words.split()}


def _rows(names, rows):
    """A word with its own forms in each row: `word form form ...`, a comma between rows."""
    cells = [row.split() for row in rows.split(",")]
    return {row[0]: dict(zip(names.split(), row[1:], strict=True)) for row in cells}


# Both languages fill the same slots from tables of the same size, so a story has the same
# entropy in both. A slot's word is drawn from a table, if need be another one than
# "differs" names; "of" keeps to the rows that belong to that slot's word.
SLOTS = {
    "weather": {"table": "weather"},
    "day": {"table": "day"},
    "hero": {"table": "name"},
    "friend": {"table": "name", "differs": "hero"},
    "colour": {"table": "colour"},
    "thing": {"table": "thing"},
    "worth": {"table": "worth"},
    "move": {"table": "move"},
    "place": {"table": "place"},
    "sight": {"table": "sight", "of": "place"},
    "food": {"table": "food"},
}

ENGLISH_TABLES = {
    "weather": _table("sunny rainy windy cold warm foggy snowy quiet"),
    "day": _table("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    "name": _table("Mia Anna Lily Emma Zoe", her="her") | _table("Tom Ben Max Leo Sam", her="his"),
    "colour": _table("red blue green yellow white black"),
    "thing": _table("kite cup ball doll book drum hat scarf"),
    "worth": _table("old new light heavy lovely useful strong pretty special rare funny precious"),
    "move": _table("walked ran hurried rode danced skipped marched hopped"),
    "place": _table("lake beach market farm hill forest park garden"),
    # In one place no two sights are alike, so the place and the likeness tell the sight.
    "sight": _rows(
        "like of",
        """
        duck hungry lake, swan proud lake, frog noisy lake, otter quick lake, heron thin lake,
        crab tiny beach, gull noisy beach, seal sleepy beach, turtle shy beach, shell shiny beach,
        baker friendly market, juggler quick market, parrot noisy market, goose proud market,
        monkey hungry market, cow sleepy farm, pony friendly farm, rooster proud farm,
        goat hungry farm, chick tiny farm, eagle proud hill, shepherd friendly hill,
        lizard quick hill, sheep noisy hill, donkey sleepy hill, fox quick forest,
        deer shy forest, owl sleepy forest, wolf thin forest, beetle shiny forest,
        squirrel quick park, dog friendly park, pigeon hungry park, cat shy park,
        mouse tiny park, snail tiny garden, hedgehog shy garden, butterfly shiny garden,
        mole sleepy garden, blackbird noisy garden
        """,
    ),
    "food": _table("bread soup cake rice cheese plums pears nuts honey corn berries carrots"),
}

ENGLISH_RULES = {
    "story": [(1, "<got> <praise> <asked> <walk> <lend> <sight> <meal> <still> <night> <end>")],
    "got": [(1, "One {weather} {day} {hero} got a {colour} {thing} .")],
    "praise": [(1, "{hero} called the {colour} {thing} {worth} .")],
    "asked": [
        (2, "Soon {friend} asked {hero} for the {colour} {thing} ."),
        (1, "Then {hero} showed {friend} the {colour} {thing} ."),
    ],
    "walk": [(1, "{hero} and {friend} {move} to the {place} .")],
    "lend": [(1, "There {hero} <who> .")],
    # `owner=friend` says nothing: from here on the story knows who has the thing.
    "who": [
        (1, "lent owner=friend {friend} {hero.her} {colour} {thing}"),
        (1, "hid owner=hero {hero.her} {colour} {thing} from {friend}"),
    ],
    "sight": [(1, "They saw a {sight.like} {sight} near the {place} .")],
    "meal": [(1, "They shared some {food} .")],
    "still": [(1, "In the evening {owner} still had the {colour} {thing} .")],
    "night": [
        (1, "At night {hero} dreamed of the {place} ."),
        (1, "Later {friend} drew the {sight.like} {sight} ."),
    ],
    "end": [(1, "What a {day} ! [END]")],
}

CHINESE_TABLES = {
    "weather": _table("晴朗 多雨 多风 寒冷 温暖 多雾 下雪 安静"),
    "day": _table("星期一 星期二 星期三 星期四 星期五 星期六 星期天"),
    "name": _table("小美 小红 小兰 丽丽 婷婷 小明 小刚 小龙 大伟 亮亮"),
    "colour": _table("红色 蓝色 绿色 黄色 白色 黑色"),
    # The measure word comes before its noun, so it already tells something about it.
    "thing": _table("风筝 杯子", one="只")
    | _table("皮球 布娃娃", one="个")
    | _table("图画书", one="本")
    | _table("小鼓", one="面")
    | _table("帽子", one="顶")
    | _table("围巾", one="条"),
    "worth": _table("旧 新 轻 重 可爱 有用 结实 漂亮 特别 少见 好玩 珍贵"),
    "move": _table("快步 慢慢 飞快地 骑车 蹦跳着 小跑着 高兴地 唱着歌"),
    "place": _table("湖边 海边 集市 农场 山上 森林 公园 花园"),
    "sight": _rows(
        "one like of",
        """
        鸭子 只 贪吃 湖边, 天鹅 只 骄傲 湖边, 青蛙 只 吵闹 湖边, 水獭 只 机灵 湖边,
        白鹭 只 瘦瘦 湖边, 螃蟹 只 小小 海边, 海鸥 只 吵闹 海边, 海豹 头 困倦 海边,
        海龟 只 害羞 海边, 贝壳 枚 闪亮 海边, 面包师 位 友好 集市, 杂技演员 位 机灵 集市,
        鹦鹉 只 吵闹 集市, 大鹅 只 骄傲 集市, 猴子 只 贪吃 集市, 奶牛 头 困倦 农场,
        小马 匹 友好 农场, 公鸡 只 骄傲 农场, 山羊 只 贪吃 农场, 小鸡 只 小小 农场,
        老鹰 只 骄傲 山上, 牧羊人 位 友好 山上, 蜥蜴 条 机灵 山上, 绵羊 只 吵闹 山上,
        毛驴 头 困倦 山上, 狐狸 只 机灵 森林, 小鹿 头 害羞 森林, 猫头鹰 只 困倦 森林,
        野狼 匹 瘦瘦 森林, 甲虫 只 闪亮 森林, 松鼠 只 机灵 公园, 小狗 条 友好 公园,
        鸽子 只 贪吃 公园, 花猫 只 害羞 公园, 老鼠 只 小小 公园, 蜗牛 只 小小 花园,
        刺猬 只 害羞 花园, 蝴蝶 只 闪亮 花园, 鼹鼠 只 困倦 花园, 画眉 只 吵闹 花园
        """,
    ),
    "food": _table("面包 热汤 蛋糕 米饭 奶酪 李子 梨子 坚果 蜂蜜 玉米 草莓 胡萝卜"),
}

CHINESE_RULES = {
    "story": [(1, "<got> <praise> <asked> <walk> <lend> <sight> <meal> <still> <night> <end>")],
    "got": [(1, "{weather} 的 {day} ， {hero} 得到 了 一 {thing.one} {colour} 的 {thing} 。")],
    "praise": [(1, "{hero} 说 这 {thing.one} {colour} 的 {thing} 很 {worth} 。")],
    "asked": [
        (2, "不久 {friend} 向 {hero} 要 {colour} 的 {thing} 。"),
        (1, "后来 {hero} 让 {friend} 看 {colour} 的 {thing} 。"),
    ],
    "walk": [(1, "{hero} 和 {friend} {move} 去 {place} 。")],
    "lend": [(1, "然后 {hero} 把 {colour} 的 {thing} <who> 。")],
    "who": [
        (1, "借给 owner=friend 了 {friend}"),
        (1, "藏起来 owner=hero 不 给 {friend}"),
    ],
    "sight": [(1, "他们 在 {place} 看见 一 {sight.one} {sight.like} 的 {sight} 。")],
    "meal": [(1, "他们 分享 了 {food} 。")],
    "still": [(1, "傍晚 {owner} 还 拿 着 {colour} 的 {thing} 。")],
    "night": [
        (1, "夜里 {hero} 梦见 了 {place} 。"),
        (1, "回家 后 {friend} 画 了 {sight.like} 的 {sight} 。"),
    ],
    "end": [(1, "多么 难忘 的 {day} ！ [END]")],
}
