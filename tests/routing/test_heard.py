"""What the real engine heard in the twelve scripted calls, and what is suggested from it.

The texts are pasted as the small Chinese model of Vosk wrote them from 8 kHz audio, its mistakes
included: the words of the rules and the names of places must survive them.
"""

import pytest

from routing.classify import Classifier
from telephony.calls import Leg
from transcription.transcripts import Turn

# call, line, what the caller's leg gave, what the operator's leg gave, and what is expected:
# level 1, kind, urgency, area
HEARD = [
    (
        "01-streetlight",
        "mayor",
        (
            "你好我要反映一个问题我们小区门口的路灯坏了三天了晚上出门特别不安全在补偿距离"
            "远路东段七月十二号门口一共坏了四展露的我的电话是幺三大零八幺幺二三四五麻烦你"
            "们会一点来修"
        ),
        (
            "您好这里是绵羊市场公开电话功耗一淋巴瘤为您服务请问有什么可以帮你请问具体是在"
            "什么位置好的您反映的问题未经记录会转给城管部门处理请问您的联系电话是多少好的"
            "我们会在规定时间内给你答复感情的来点再见"
        ),
        ("城乡建设", "help", "normal", "涪城区"),
    ),
    (
        "02-water-outage",
        "mayor",
        (
            "我们整个小区从昨天晚上就停水了到现在都没有来水家里还有老人和孩子有兴趣不的路"
            "的阳光花园小区一共有三百多户人家没有任何通知打自来水公司的电话也一直打不通"
        ),
        (
            "您好施展公开电话功耗爱申请讲请问您是哪个小区有没有接到停水通知好的这属于紧急"
            "是事项我马上联系供水单位请保持电话畅通"
        ),
        ("城乡建设", "help", "urgent", "游仙区"),
    ),
    (
        "03-unpaid-wages",
        "mayor",
        (
            "我要投注我们在工地上干的三个月老板一直凸起公子一共是点把就亲人在不的高新科技"
            "人项目是一家建筑劳务公司我们一共有十五个工人没有家合同只有考勤鸟和公子借条"
        ),
        (
            "你好师长公开电话恭贺一零山姆为您服务请问是哪个工地用人单位叫什么名字请问有没"
            "有签订劳动合同好的我们会传给人力资源和社会保障其的劳动监察部门请保存好证据"
        ),
        ("劳动和社会保障", "complaint", "normal", None),
    ),
    (
        "04-social-card",
        "mayor",
        ("你好请问补办社会保障太小的什么材料在哪里板栗那需要多长时间才能拿到好的明白了谢谢你"),
        (
            "你好市长公开电话功耗一定淋巴瘤请问有什么可以帮你补办社保卡需要本人身份证原件"
            "可以到就近的社保服务窗口或者合作银行网点办理一般当场就可以领取工作时间是周一"
            "到周五早上九点到下午五点"
        ),
        ("劳动和社会保障", "consult", "normal", None),
    ),
    (
        "05-barbecue-smoke",
        "mayor",
        (
            "我要投诉楼下的烧烤店每天晚上油烟特别大一直营业到凌晨两点噪音也很扰民在安卓去"
            "花该镇中心家店名叫好吃烧烤我们已经反映过好几次了都没有人管给社区和城管都打过"
            "电话每次都说会来处理但是一直没有效果"
        ),
        (
            "您好市长公开电话功耗一零四一请讲请问烧烤店在什么地方您之前向哪个部门反映过好"
            "的您的问题我已经东西会转给生态环境及和城管局联合处理"
        ),
        ("环境保护", "complaint", "normal", "安州区"),
    ),
    (
        "06-driving-school",
        "mayor",
        (
            "我要投诉将由是的一家驾校乱收费报名的时候说全包现在又要我再教一千五百元补考费"
            "孝顺打架叫签了合同的合同上写的是一次性收费我要求退还多收的费用希望交通运输局"
            "好好管一管"
        ),
        (
            "您好市长公开电话功耗一零五而为您服务请问驾校的名称是什么有没有签订培训合同您"
            "希望怎么解决好的我们会转给将由市交通运输局调查处理"
        ),
        ("交通运输", "complaint", "normal", "江油市"),
    ),
    (
        "07-gas-smell",
        "mayor",
        (
            "快点快点我们楼道里有很浓的天然气味道可能是燃气泄露了好多人都问到了浮尘西安城"
            "六十八号分担单元好的你们快一点来"
        ),
        (
            "一着市长公开电话功耗一零六七请讲请马上打开门窗不要开灯不要用民国赶快去道路外"
            "面请问地址在哪里我现在马上回您转机效仿可燃气讲解请不要挂机"
        ),
        ("城乡建设", "incident", "emergency", "涪城区"),
    ),
    (
        "08-staff-bribery",
        "mayor",
        (
            "我要举报有个单位的工作人员在办证的时候吃拿卡要还熟给他送红包市区里的不动产登"
            "记窗口搬了三次都说材料不齐后来他让我请他吃吃饭我有聊天记录和录音我不希望的指"
            "导收集到的"
        ),
        (
            "你好好吃公开电话古汉语令其把为您服务请您放心我们会对你的兴起严格报名气温是那"
            "个单位请问有没有证据或者正然好的这件事情会直接传给基建检察部门你欣喜不会告诉"
            "被拒保挡位"
        ),
        ("纪检监察", "report", "normal", None),
    ),
    (
        "09-public-housing",
        "mayor",
        (
            "我想咨询一下公租房的申请条件我是外地来绵羊打工的那需要准备哪些材料去哪里申请"
            "了好那谢谢请问社区居委会怎么走"
        ),
        (
            "您好市长公开电话功耗一零纷纷请问有什么可以帮你外来务工人员需要在绵羊有稳定的"
            "工作缴纳社会保险满一年并且在本事没有住房需要身份证居住证劳动合同和社保证明到"
            "居住地的社区居委会申请三十个工作日内审核完成您可以乘坐时二路公交车倒与进度站"
            "下车"
        ),
        ("城乡建设", "consult", "normal", None),
    ),
    (
        "10-follow-up",
        "mayor",
        (
            "我上个星期打电话反映过路的没问题到现在都没有人来处理你们到底管不管就是这个号"
            "码打的你远路东段七十二好的路等那好吧希望这次不要再涂了"
        ),
        (
            "您好施展公开电话功耗爱申请请讲非常抱歉给您带来不便请问你的公担好或者来电号码"
            "是多少查到了你的公担已经太给城管局我马上为你大今天下班之前给您答复"
        ),
        ("城乡建设", "follow_up", "normal", "涪城区"),
    ),
    (
        "11-duty-landslide",
        "duty",
        (
            "我是北川县应急管理去值班员现在向你报告今天凌晨五点二十分没古镇发生山体滑坡目"
            "前没有人员伤亡有在乎房屋受损声道到中转已经转移群众二十六人好的明白家那上梳理"
            "保住啊"
        ),
        (
            "市政府值班室请讲请报告具体情况有没有没有人员伤亡请在一个小时之内书面到出把后"
            "续情况随时报告"
        ),
        ("城乡建设", "incident", "emergency", "北川羌族自治县"),
    ),
    (
        "12-bus-suggestion",
        "mayor",
        (
            "我有一个建议科技创新去上班的人越来越多早高峰的公交车太挤了能不能增加几个半死"
            "主要是是一路早上七点半到八点半等半个小时都上不去谢谢希望我们采纳"
        ),
        (
            "你好市长公开电话一零是一请讲请问您主要乘坐那一路公交车好的您的建议我们会转给"
            "交通运输其和公交公司研究"
        ),
        ("交通运输", "suggestion", "normal", "科技城新区"),
    ),
]


@pytest.mark.parametrize(("name", "line", "caller", "operator", "expected"), HEARD)
def test_a_call_as_it_was_heard(  # noqa: PLR0917 - the columns of the table and one fixture
    classifier: Classifier,
    name: str,
    line: str,
    caller: str,
    operator: str,
    expected: tuple[str, str, str, str | None],
) -> None:
    turns = [
        Turn(leg=Leg.OPERATOR, start=0.5, end=5.0, text=operator),
        Turn(leg=Leg.CALLER, start=5.5, end=15.0, text=caller),
    ]
    one = classifier.suggest(turns, line)
    assert (one.level1, one.kind, one.urgency, one.area) == expected, name
    assert one.unit


def test_a_place_nobody_could_hear_is_left_open(classifier: Classifier) -> None:
    """In the third call 涪城区 was written 不的, which sounds like nothing."""
    _, line, caller, _, expected = HEARD[2]
    assert expected[3] is None
    one = classifier.suggest([Turn(leg=Leg.CALLER, start=0.0, end=9.0, text=caller)], line)
    assert one.area is None
